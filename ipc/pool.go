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

// Pool is a set of workers and the executor that distributes calls among them. Start makes a pool,
// Shutdown and Close end it. It is safe for concurrent use.
type Pool struct {
	opts      Options
	log       *slog.Logger
	launcher  *proc.Launcher
	done      sync.WaitGroup // the goroutines of the workers
	ended     chan struct{}  // closed when all workers and goroutines have ended
	wakeup    chan struct{}  // wakes the supervisor; has room for one
	announced atomic.Pointer[announcement]

	waits, waited, replays, cancels, timeouts atomic.Uint64

	// mu guards the scheduler and the hellos of workers. Nobody who holds it waits for anything.
	mu    sync.Mutex
	sched *sched.Scheduler
}

// Start starts the workers and returns when all can take calls: on the framed wire when each has
// sent its hello. If one of them fails, Start ends all of them and fails. The pool restarts workers
// that fail later. Ctx bounds the start only.
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

// Restart replaces all workers by new ones, which run the files as they are now. It starts the new
// workers one after the other. The old ones get calls until all new ones are ready, and end after
// their last call: no call fails or is refused because of Restart. If a new worker does not become
// ready, the old ones stay, and the error says why. (A worker on the plain wire counts as ready when
// its process has started.) The old ones also stay if ctx is done, or another Restart begins, before
// all new ones are ready.
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
		p.update(func(time.Time) { p.sched.RollBack(r, ctx.Err()) })
		err = <-r.Result
	}
	p.update(func(time.Time) { p.announce() })
	return err
}

// update calls f with the time, under the lock. F tells the scheduler what has happened.
func (p *Pool) update(f func(now time.Time)) {
	p.mu.Lock()
	defer p.unlock()
	f(time.Now())
}

// unlock unlocks mu, and wakes the supervisor if the scheduler has something to do.
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

// supervise carries out what the scheduler decides, until all workers have ended.
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
	entry := a.Worker
	switch a.Do {
	case sched.Start:
		p.done.Go(func() { p.runWorker(entry) })
		return
	case sched.Report:
		p.logRefusals(a.Refused)
		return
	}
	p.mu.Lock()
	w, started := entry.Handle.(*worker)
	p.mu.Unlock()
	if !started { // runWorker checks whether it is still wanted
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
		p.update(func(time.Time) { p.sched.Measured(entry, bytes) })
	case sched.Check:
		now := time.Now()
		overdue, next := w.conn.Overdue(now)
		p.update(func(time.Time) { p.sched.Checked(now, entry, overdue, next) })
	case sched.CancelCalls:
		w.conn.CancelAll()
	}
}

// runWorker runs the worker of an entry of the scheduler from its start to its end.
func (p *Pool) runWorker(entry *sched.Worker) {
	w, err := startWorker(&p.opts, p.launcher, entry.Slot)
	if err == nil {
		p.connect(entry, w)
		p.mu.Lock()
		entry.Handle = w
		wanted := entry.Starting()
		p.mu.Unlock()
		if !wanted {
			w.proc.Kill()
		}
		first := true
		err = w.run(func(hello *wire.Hello) {
			if p.accept(w, hello, first) {
				p.update(func(now time.Time) {
					w.hello = hello
					p.sched.Ready(now, entry)
					p.announce()
				})
				if first {
					p.logReady(w, hello, time.Since(entry.Began))
				}
			}
			first = false
		})
	}
	var reason sched.Reason
	p.update(func(now time.Time) {
		reason = p.sched.Exited(now, entry, err)
		p.announce()
	})
	p.logExit(w, entry.Slot, ExitReason(reason), err, time.Since(entry.Began))
}

// connect makes a worker tell the scheduler what happens to it.
func (p *Pool) connect(entry *sched.Worker, w *worker) {
	w.draining = func() { p.update(func(now time.Time) { p.sched.Drain(now, entry) }) }
	w.conn.Pong = func() { p.update(func(now time.Time) { p.sched.Pong(now, entry) }) }
	w.conn.Abandoned = func(deadline time.Time) { p.update(func(time.Time) { p.sched.Abandon(entry, deadline) }) }
	w.conn.Released = func(size int, abandoned bool) {
		p.update(func(time.Time) {
			if abandoned {
				p.sched.Release(entry, size)
			} else {
				p.sched.Complete(entry, size, false)
			}
		})
	}
}

// List returns the tasks and events that the newest worker has announced. Callers may call these,
// unless the handler's configuration has another list. On the plain wire workers announce nothing,
// and List returns nil.
func (p *Pool) List() *protocol.AllowList { return p.announced.Load().list }

// Ready reports whether the pool can serve calls: it is not closing, and a worker is ready and
// answers pings. The worker may be busy, but calls whose callers have disconnected must not take all
// its places: such calls may never end.
func (p *Pool) Ready() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sched.HasPlaces()
}

// Shutdown refuses new calls, waits for the calls under way, and ends the workers by closing their
// inputs. Options.StopTimeout after the first Shutdown it kills workers that still run, with their
// calls. If ctx is done earlier, it does the same as Close and returns ctx's error. It may be called
// more than once, and concurrently.
func (p *Pool) Shutdown(ctx context.Context) error {
	p.update(p.sched.Shutdown)
	select {
	case <-p.ended:
		return nil
	case <-ctx.Done():
		p.update(p.sched.Abort)
		<-p.ended
		return ctx.Err()
	}
}

// Close ends the workers at once and waits until they have ended. Their calls fail with 502
// WORKER_CRASHED. It always returns nil.
func (p *Pool) Close() error {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.Shutdown(done)
	return nil
}
