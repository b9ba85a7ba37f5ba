package ipc

import (
	"container/list"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Pool is a set of workers and the executor that spreads calls over them. Make one
// with Start, end it with Shutdown or Close. It is safe for concurrent use.
type Pool struct {
	opts Options
	log  *slog.Logger
	stop chan struct{}  // closed when workers must not be started any more
	done sync.WaitGroup // the goroutines of the slots
	list atomic.Pointer[protocol.AllowList]

	// mu guards all that follows, and the workers' fields that say so. Nothing waits
	// while it is held.
	mu       sync.Mutex
	slots    []slot
	queue    list.List // of *waiter
	queued   int       // bytes in queue
	active   int       // calls that have a worker
	auth     bool      // the worker last started can be asked about callers
	draining bool
	idle     chan struct{} // closed when draining and without calls
}

// slot is the place of one worker and its successors.
type slot struct {
	worker  *worker   // nil while there is none
	retryAt time.Time // when the next one starts, zero if at once
	starts  int
}

// Start starts the workers and returns when all can take calls: on the framed wire
// when each has said hello. It fails, with nothing left running, if one of them does
// not get there: later failures are met by trying again. Ctx bounds the start only.
func Start(ctx context.Context, opts Options) (*Pool, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Pool{
		opts:  opts,
		log:   opts.Logger,
		stop:  make(chan struct{}),
		idle:  make(chan struct{}),
		slots: make([]slot, opts.Workers),
	}
	started := make(chan error, opts.Workers)
	if err = ctx.Err(); err == nil {
		for i := range p.slots {
			p.done.Go(func() { p.keep(i, started) })
		}
		for range p.slots {
			select {
			case err = <-started:
			case <-ctx.Done():
				err = ctx.Err()
			}
			if err != nil {
				break
			}
		}
	}
	if err != nil {
		_ = p.Close()
		return nil, err
	}
	return p, nil
}

// keep runs the worker of a slot, and a new one whenever that has ended. It tells
// started about the first one, and gives up if that fails.
func (p *Pool) keep(slot int, started chan<- error) {
	var pause backoff
	first := true
	for {
		begin := time.Now()
		err := p.runWorker(slot, func() {
			if first {
				started <- nil
			}
			first = false
		})
		if first {
			started <- err
			return
		}
		if !p.stopping() {
			p.log.Error("ipc: worker ended", "worker", slot, "error", err, "lifetime", time.Since(begin))
		}
		if !p.vacate(slot, pause.next(time.Since(begin))) {
			return
		}
	}
}

// runWorker runs one worker from its start to its end, and returns why it ended.
func (p *Pool) runWorker(slot int, ready func()) error {
	w, err := startWorker(&p.opts, slot)
	if err != nil {
		return err
	}
	p.mu.Lock()
	w.release = func(size int) { p.release(w, size, false) }
	p.slots[slot].worker = w
	p.slots[slot].retryAt = time.Time{}
	p.slots[slot].starts++
	if p.stopping() {
		w.kill()
	}
	p.mu.Unlock()
	said := w.opts.Plain
	err = w.run(func(hello *control) {
		first := !said
		said = true
		if p.acceptSchemas(w, hello, first) {
			p.adopt(w, hello)
			ready()
		}
	})
	if !said {
		return fmt.Errorf("%w before its hello on the framed wire (a worker written by hand needs Options.Plain)", err)
	}
	return err
}

// adopt lets a worker have calls, and gives it what waits.
func (p *Pool) adopt(w *worker, hello *control) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if hello != nil {
		p.list.Store(hello.allowList())
		p.auth = hello.Auth
	}
	w.ready = true
	p.dispatch()
}

// vacate takes the worker off its slot and waits for the time of the next one. It
// reports false if there will be none.
func (p *Pool) vacate(i int, delay time.Duration) bool {
	p.mu.Lock()
	p.slots[i].worker = nil
	p.slots[i].retryAt = time.Time{}
	if delay > 0 {
		p.slots[i].retryAt = time.Now().Add(delay)
	}
	p.mu.Unlock()
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-p.stop:
		return false
	case <-timer.C:
		return !p.stopping()
	}
}

// List returns the tasks and events that the worker last started has announced: what
// callers may reach, unless the handler's configuration says otherwise. On the plain
// wire nothing is announced, and it returns nil.
func (p *Pool) List() *protocol.AllowList { return p.list.Load() }

func (p *Pool) stopping() bool {
	select {
	case <-p.stop:
		return true
	default:
		return false
	}
}

// settle notes that a draining pool has no more calls.
func (p *Pool) settle() {
	if p.draining && p.active == 0 && p.queue.Len() == 0 {
		select {
		case <-p.idle:
		default:
			close(p.idle)
		}
	}
}

// Shutdown lets the pool take no more calls, waits for those that it has, and ends
// the workers: by the end of their input, and by force after Options.StopTimeout. If
// ctx is done earlier, it does what Close does and returns ctx's error. It may be
// called more than once, and concurrently.
func (p *Pool) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	p.draining = true
	p.settle()
	p.mu.Unlock()

	select {
	case <-p.idle:
		p.end((*worker).stop)
	case <-ctx.Done():
		p.end((*worker).kill)
	}
	ended := make(chan struct{})
	go func() {
		p.done.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		p.end((*worker).kill)
		<-ended
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

// end closes the pool for good and calls how for every worker.
func (p *Pool) end(how func(*worker)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stopping() {
		close(p.stop)
	}
	for i := range p.slots {
		if w := p.slots[i].worker; w != nil {
			how(w)
		}
	}
}
