package ipc

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/proc"
	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
	"github.com/bluelibs/go-tunnel/protocol"
)

// Pool is a set of workers and the executor that spreads calls over them. Make one
// with Start, end it with Shutdown or Close. It is safe for concurrent use.
type Pool struct {
	opts      Options
	log       *slog.Logger
	launcher  *proc.Launcher
	done      sync.WaitGroup // the goroutines of the workers
	ended     chan struct{}  // closed when all is over
	wakeup    chan struct{}  // has room for one, for the supervisor
	announced atomic.Pointer[announcement]

	waits, waited, replays, cancels, timeouts atomic.Uint64

	// mu guards what follows, and the fields of members. Nothing waits while it is held.
	mu sync.Mutex
	s  *scheduler
}

// announcement is what the newest worker has said about itself.
type announcement struct {
	hello      *wire.Hello
	list       *protocol.AllowList
	idempotent map[string]bool
	lanes      laneRules
}

// Start starts the workers and returns when all can take calls: on the framed wire
// when each has said hello. It fails, with nothing left running, if one of them does
// not get there: later failures are met by trying again. Ctx bounds the start only.
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
	p.s = newScheduler(&p.opts)
	r := p.s.roll(time.Now(), len(p.s.slots))
	go p.supervise()
	if err := p.rolled(ctx, r); err != nil {
		_ = p.Close()
		return nil, err
	}
	return p, nil
}

// Restart replaces all workers by new ones, which run the files as they are now. The
// old ones have calls until all new ones are ready, started one after the other, and
// end after those that they have: no call fails or is refused because of it. If a new
// one does not get ready, the old ones stay, and the error says why. (A worker on the
// plain wire counts as ready when its process is started.) If ctx is done, or another
// Restart begins, before all are ready, the old ones stay, too.
func (p *Pool) Restart(ctx context.Context) error {
	p.mu.Lock()
	r := p.s.roll(time.Now(), 1)
	p.unlock()
	return p.rolled(ctx, r)
}

// rolled waits for what becomes of a new generation of workers.
func (p *Pool) rolled(ctx context.Context, r *rollout) error {
	var err error
	select {
	case err = <-r.result:
	case <-ctx.Done():
		p.mu.Lock()
		p.s.rollBack(r, ctx.Err())
		p.unlock()
		err = <-r.result
	}
	p.mu.Lock()
	p.announce()
	p.unlock()
	return err
}

// supervise does what the scheduler wants done, until all has ended.
func (p *Pool) supervise() {
	defer close(p.ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		p.mu.Lock()
		p.s.tick(time.Now())
		actions, wakeAt := p.s.take(), p.s.wakeAt
		over := p.s.ended && len(p.s.live) == 0
		p.mu.Unlock()
		for _, a := range actions {
			p.perform(a)
		}
		if over {
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

// unlock gives up mu, and wakes the supervisor if there is something for it.
func (p *Pool) unlock() {
	dirty := p.s.dirty
	p.mu.Unlock()
	if dirty {
		select {
		case p.wakeup <- struct{}{}:
		default:
		}
	}
}

func (p *Pool) perform(a action) {
	switch a.do {
	case doSpawn:
		p.done.Go(func() { p.run(a.m) })
		return
	case doReport:
		p.reportRefusals()
		return
	}
	p.mu.Lock()
	w := a.m.worker
	p.mu.Unlock()
	if w == nil { // not yet started, or never: run looks itself
		return
	}
	switch a.do {
	case doStop:
		w.stop(a.within)
	case doKill:
		w.kill()
	case doPing:
		w.conn.Ping()
	case doMeasure:
		bytes := proc.ResidentSet(w.proc.PID())
		p.mu.Lock()
		p.s.measured(a.m, bytes)
		p.unlock()
	case doCheck:
		now := time.Now()
		late, next := w.conn.Overdue(now)
		p.mu.Lock()
		p.s.checked(now, a.m, late, next)
		p.unlock()
	case doCancel:
		w.conn.CancelAll()
	}
}

// run runs a worker from its start to its end.
func (p *Pool) run(m *member) {
	w, err := startWorker(&p.opts, p.launcher, m.slot)
	if err == nil {
		w.conn.Abandoned = func(due time.Time) {
			p.mu.Lock()
			p.s.leave(m, due)
			p.unlock()
		}
		w.conn.Released = func(size int, left bool) { p.takeBack(m, size, left) }
		w.conn.Pong = func() {
			p.mu.Lock()
			p.s.pong(time.Now(), m)
			p.unlock()
		}
		w.lost = func() {
			p.mu.Lock()
			p.s.lose(time.Now(), m)
			p.unlock()
		}
		p.mu.Lock()
		m.worker = w
		doomed := m.state != starting
		p.mu.Unlock()
		if doomed {
			w.kill()
		}
		first := true
		err = w.run(func(hello *wire.Hello) {
			if p.acceptLanes(w, hello, first) && p.acceptSchemas(w, hello, first) {
				p.ready(m, hello)
				if first {
					p.logReady(w, hello, time.Since(m.begun))
				}
			}
			first = false
		})
	}
	p.mu.Lock()
	begun := m.begun
	p.s.exited(time.Now(), m, err)
	p.announce()
	reason := m.reason
	p.unlock()
	p.logExit(w, m.slot, reason, err, time.Since(begun))
}

// ready takes that a worker can have calls, or what it has to say about itself.
func (p *Pool) ready(m *member, hello *wire.Hello) {
	p.mu.Lock()
	defer p.unlock()
	m.hello = hello
	p.s.ready(time.Now(), m)
	p.announce()
}

// announce publishes what the newest worker has said, if that is new.
func (p *Pool) announce() {
	m := p.s.newest
	if m == nil || m.hello == nil || m.hello == p.announced.Load().hello {
		return
	}
	lanes, _ := newLaneRules(m.hello) // see acceptLanes
	p.announced.Store(&announcement{
		hello:      m.hello,
		list:       m.hello.AllowList(),
		idempotent: set(p.opts.Idempotent, m.hello.Idempotent),
		lanes:      lanes,
	})
}

func set(lists ...[]string) map[string]bool {
	members := map[string]bool{}
	for _, list := range lists {
		for _, id := range list {
			members[id] = true
		}
	}
	return members
}

// List returns the tasks and events that the newest worker has announced: what callers
// may reach, unless the handler's configuration says otherwise. On the plain wire
// nothing is announced, and it returns nil.
func (p *Pool) List() *protocol.AllowList { return p.announced.Load().list }

// Ready reports whether a call would now find a worker that takes calls, if it had time:
// one that is ready and answers pings, in a pool that is not closing. A worker all of whose
// places are taken by calls that nobody waits for is none: what they wait for may never come.
func (p *Pool) Ready() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.s.hasPlaces() && !p.s.closing
}

// Shutdown lets the pool take no more calls, waits for those that it has, and ends
// the workers: by the end of their input, and by force when Options.StopTimeout is over
// since the first Shutdown, with what is then under way. If ctx is done earlier, it does
// what Close does and returns ctx's error. It may be called more than once, and
// concurrently.
func (p *Pool) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	p.s.shutdown(time.Now())
	p.unlock()
	select {
	case <-p.ended:
		return nil
	case <-ctx.Done():
		p.mu.Lock()
		p.s.abort(time.Now())
		p.unlock()
		<-p.ended
		return ctx.Err()
	}
}

// Close ends the workers at once and waits until they have ended. The calls that
// they had fail with 502 WORKER_CRASHED. It always returns nil.
func (p *Pool) Close() error {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.Shutdown(done)
	return nil
}
