package ipc

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/proc"
	"github.com/bluelibs/go-tunnel/ipc/internal/sched"
	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
	"github.com/bluelibs/go-tunnel/protocol"
)

// Pool is a set of workers and the executor that spreads calls over them. Make one with Start, end
// it with Shutdown or Close. It is safe for concurrent use.
type Pool struct {
	opts      Options
	log       *slog.Logger
	launcher  *proc.Launcher
	done      sync.WaitGroup // the goroutines of the workers
	ended     chan struct{}  // closed when all has ended
	wakeup    chan struct{}  // has room for one, for the supervisor
	announced atomic.Pointer[announcement]

	waits, waited, replays, cancels, timeouts atomic.Uint64

	// mu guards the scheduler and the hellos of workers. Nothing waits while it is held.
	mu    sync.Mutex
	sched *sched.Scheduler
}

// Start starts the workers and returns when all can take calls: on the framed wire when each has
// sent its hello. It fails, with nothing left running, if one of them does not get there: later
// failures are met by trying again. Ctx bounds the start only.
func Start(ctx context.Context, opts Options) (*Pool, error) {
	opts, err := opts.withDefaults()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	opts.logs = newLogs(opts.Logger.Handler())
	log := opts.logs.logger(logRoom, nil)
	p := &Pool{
		opts:     opts,
		log:      log,
		launcher: proc.NewLauncher(log),
		ended:    make(chan struct{}),
		wakeup:   make(chan struct{}, 1),
	}
	p.announced.Store(&announcement{idempotent: set(opts.Idempotent)})
	p.sched = sched.New(p.opts.schedule())
	r := p.sched.StartRollout(time.Now(), opts.Workers+opts.Spares)
	go p.supervise()
	if err := p.rolledOut(ctx, r); err != nil {
		_ = p.Close()
		return nil, err
	}
	return p, nil
}

// Restart replaces all workers by new ones, which run the files as they are now. The old ones have
// calls until all new ones are ready, started one after the other, and end after those that they
// have: no call fails or is refused because of it. If a new one does not get ready, the old ones
// stay, and the error says why. (A worker on the plain wire counts as ready when its process is
// started.) If ctx is done, or another Restart begins, before all are ready, the old ones stay,
// too.
func (p *Pool) Restart(ctx context.Context) error {
	p.mu.Lock()
	r := p.sched.StartRollout(time.Now(), 1)
	p.unlock()
	return p.rolledOut(ctx, r)
}

// rolledOut waits for the end of a rollout.
func (p *Pool) rolledOut(ctx context.Context, r *sched.Rollout) error {
	var err error
	select {
	case err = <-r.Result:
	case <-ctx.Done():
		p.tell(func(time.Time) { p.sched.RollBack(r, ctx.Err()) })
		err = <-r.Result
	}
	p.tell(func(time.Time) { p.announce() })
	return err
}

// tell calls f, which tells the scheduler what has happened, with the time.
func (p *Pool) tell(f func(now time.Time)) {
	p.mu.Lock()
	defer p.unlock()
	f(time.Now())
}

// unlock unlocks mu, and wakes the supervisor if there is something for it.
func (p *Pool) unlock() {
	dirty := p.sched.Dirty()
	p.mu.Unlock()
	if dirty {
		select {
		case p.wakeup <- struct{}{}:
		default:
		}
	}
}

// supervise carries out what the scheduler decides, until all has ended.
func (p *Pool) supervise() {
	defer close(p.ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		p.mu.Lock()
		actions, wakeAt, ended := p.sched.Tick(time.Now())
		p.mu.Unlock()
		for _, a := range actions {
			p.perform(a)
		}
		if ended {
			break
		}
		timer.Stop()
		if !wakeAt.IsZero() {
			timer.Reset(time.Until(wakeAt))
		}
		select {
		case <-p.wakeup:
		case <-timer.C:
		}
	}
	p.done.Wait()
	p.launcher.Close()
	p.opts.logs.close()
}

func (p *Pool) perform(a sched.Action) {
	m := a.Worker
	switch a.Do {
	case sched.Start:
		p.done.Go(func() { p.runWorker(m) })
		return
	case sched.Report:
		p.logRefusals(a.Refused)
		return
	}
	p.mu.Lock()
	w, started := m.Handle.(*worker)
	p.mu.Unlock()
	if !started { // or it will never be: runWorker looks itself
		return
	}
	switch a.Do {
	case sched.Stop:
		w.stop(a.Within)
	case sched.Kill:
		w.proc.Kill()
	case sched.Ping:
		w.conn.Ping()
	case sched.Measure:
		bytes := proc.ResidentSet(w.proc.PID())
		p.tell(func(time.Time) { p.sched.Measured(m, bytes) })
	case sched.Check:
		now := time.Now()
		overdue, next := w.conn.Overdue(now)
		p.tell(func(time.Time) { p.sched.Checked(now, m, overdue, next) })
	case sched.CancelCalls:
		w.conn.CancelAll()
	}
}

// runWorker runs a worker from its start to its end.
func (p *Pool) runWorker(m *sched.Worker) {
	w, err := startWorker(&p.opts, p.launcher, m.Slot)
	if err == nil {
		p.connect(m, w)
		p.mu.Lock()
		m.Handle = w
		wanted := m.Starting()
		p.mu.Unlock()
		if !wanted {
			w.proc.Kill()
		}
		first := true
		err = w.run(func(hello *wire.Hello) {
			if p.accept(w, hello, first) {
				p.tell(func(now time.Time) {
					w.hello = hello
					p.sched.Ready(now, m)
					p.announce()
				})
				if first {
					p.logReady(w, hello, time.Since(m.Began))
				}
			}
			first = false
		})
	}
	var reason sched.Reason
	p.tell(func(now time.Time) {
		reason = p.sched.Exited(now, m, err)
		p.announce()
	})
	p.logExit(w, m.Slot, ExitReason(reason), err, time.Since(m.Began))
}

// connect makes a worker tell the scheduler what happens.
func (p *Pool) connect(m *sched.Worker, w *worker) {
	w.draining = func() { p.tell(func(now time.Time) { p.sched.Drain(now, m) }) }
	w.conn.Pong = func() { p.tell(func(now time.Time) { p.sched.Pong(now, m) }) }
	w.conn.Abandoned = func(deadline time.Time) { p.tell(func(time.Time) { p.sched.Abandon(m, deadline) }) }
	w.conn.Released = func(size int, abandoned bool) {
		p.tell(func(time.Time) {
			if abandoned {
				p.sched.Release(m, size)
			} else {
				p.sched.Complete(m, size, false)
			}
		})
	}
}

// List returns the tasks and events that the newest worker has announced: what callers may reach,
// unless the handler's configuration says otherwise. On the plain wire nothing is announced, and it
// returns nil.
func (p *Pool) List() *protocol.AllowList { return p.announced.Load().list }

// Ready reports whether a call would now find a worker that takes calls, if it had time: one that
// is ready and answers pings, in a pool that is not closing. A worker all of whose places are taken
// by calls that nobody waits for is none: what they wait for may never come.
func (p *Pool) Ready() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sched.HasPlaces()
}

// Shutdown lets the pool take no more calls, waits for those that it has, and ends the workers: by
// the end of their input, and by force when Options.StopTimeout is over since the first Shutdown,
// with what is then under way. If ctx is done earlier, it does what Close does and returns ctx's
// error. It may be called more than once, and concurrently.
func (p *Pool) Shutdown(ctx context.Context) error {
	p.tell(p.sched.Shutdown)
	select {
	case <-p.ended:
		return nil
	case <-ctx.Done():
		p.tell(p.sched.Abort)
		<-p.ended
		return ctx.Err()
	}
}

// Close ends the workers at once and waits until they have ended. The calls that they had fail with
// 502 WORKER_CRASHED. It always returns nil.
func (p *Pool) Close() error {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.Shutdown(done)
	return nil
}
