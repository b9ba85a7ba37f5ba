package ipc

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

// maxInFlightBytes bounds the inputs that one worker has at once, in bytes, together
// with MaxQueueBytes the memory that waiting callers can claim.
const maxInFlightBytes = 64 << 20

// Pool is a set of workers and the executor that spreads calls over them. Make one
// with Start, end it with Shutdown or Close. It is safe for concurrent use.
type Pool struct {
	opts Options
	log  *slog.Logger
	stop chan struct{}  // closed when workers must not be started any more
	done sync.WaitGroup // the goroutines of the slots

	// mu guards all that follows, and the workers' fields that say so. Nothing waits
	// while it is held.
	mu       sync.Mutex
	slots    []slot
	queue    list.List // of *waiter
	queued   int       // bytes in queue
	active   int       // calls that have a worker
	draining bool
	idle     chan struct{} // closed when draining and without calls
}

// slot is the place of one worker and its successors.
type slot struct {
	worker  *worker   // nil while there is none
	retryAt time.Time // when the next one starts, zero if at once
	starts  int
}

// waiter is a call that waits for a worker.
type waiter struct {
	assigned chan *worker // has room for the one that it gets
	bytes    int
}

// Start starts the workers and returns when all processes are there. It fails, with
// nothing left running, if one cannot be started: later failures are met by trying
// again. Ctx bounds the start only. Errors name the cause and the program.
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
	first := make([]*worker, opts.Workers)
	for i := range first {
		if err = ctx.Err(); err == nil {
			first[i], err = startWorker(&p.opts, i)
		}
		if err != nil {
			for _, w := range first[:i] {
				w.kill()
				w.run()
			}
			return nil, err
		}
	}
	for i, w := range first {
		p.adopt(i, w)
		p.done.Go(func() { p.keep(i, w) })
	}
	return p, nil
}

// keep runs the worker of a slot, and a new one whenever that has ended.
func (p *Pool) keep(slot int, w *worker) {
	var pause backoff
	for {
		var lifetime time.Duration
		if w != nil {
			started := time.Now()
			state := w.run()
			lifetime = time.Since(started)
			if !p.stopping() {
				p.log.Error("ipc: worker ended", "worker", slot, "pid", w.proc.pid(), "state", state, "lifetime", lifetime)
			}
		}
		if !p.vacate(slot, pause.next(lifetime)) {
			return
		}
		var err error
		if w, err = startWorker(&p.opts, slot); err != nil {
			p.log.Error("ipc: worker not started", "worker", slot, "error", err)
			continue
		}
		p.adopt(slot, w)
	}
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

// adopt puts a started worker into its slot and gives it what waits.
func (p *Pool) adopt(i int, w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slots[i].worker = w
	p.slots[i].retryAt = time.Time{}
	p.slots[i].starts++
	if p.stopping() {
		w.kill()
		return
	}
	p.dispatch()
}

func (p *Pool) stopping() bool {
	select {
	case <-p.stop:
		return true
	default:
		return false
	}
}

// Execute runs a call on the worker with the fewest calls in flight. If all are busy
// it waits in the queue. Beyond the errors of the task itself it returns 502
// WORKER_CRASHED if the worker ended with the call, 503 OVERLOADED if there is no
// room in the queue or none of the workers had time for it, 503 WORKER_UNAVAILABLE
// if there is none or the pool is closing, and the context's error if that is done.
// A call that was given to a worker is not cancelled there: the plain wire has no
// message for it.
func (p *Pool) Execute(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
	size := len(call.Payload) + len(call.ID)
	for {
		w, err := p.acquire(ctx, size)
		if err != nil {
			return nil, err
		}
		reply, err := w.call(ctx, call)
		p.release(w, size, err == errGone)
		if err != errGone {
			return reply, err
		}
	}
}

// acquire gets a place at a worker for a call with size bytes of input.
func (p *Pool) acquire(ctx context.Context, size int) (*worker, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	if p.draining {
		p.mu.Unlock()
		return nil, unavailable("ipc: the pool is closed", 0)
	}
	if p.queue.Len() == 0 {
		if w := p.pick(size); w != nil {
			p.assign(w, size)
			p.mu.Unlock()
			return w, nil
		}
	}
	if wait, down := p.down(); down {
		p.mu.Unlock()
		return nil, unavailable("ipc: no worker is running", wait)
	}
	if p.queue.Len() >= p.opts.MaxQueue || p.queued+size > p.opts.MaxQueueBytes {
		p.mu.Unlock()
		return nil, &protocol.Error{Code: protocol.CodeOverloaded, Err: errors.New("ipc: the queue is full")}
	}
	me := &waiter{assigned: make(chan *worker, 1), bytes: size}
	place := p.queue.PushBack(me)
	p.queued += size
	p.mu.Unlock()

	timer := time.NewTimer(p.opts.QueueTimeout)
	defer timer.Stop()
	var err error
	select {
	case w := <-me.assigned:
		return w, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = &protocol.Error{Code: protocol.CodeOverloaded, Err: fmt.Errorf("ipc: no worker had time within %v", p.opts.QueueTimeout)}
	case <-p.stop:
		err = unavailable("ipc: the pool is closed", 0)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case w := <-me.assigned: // a moment ago
		return w, nil
	default:
		p.queue.Remove(place)
		p.queued -= size
		p.settle()
		return nil, err
	}
}

func unavailable(reason string, retryAfter time.Duration) error {
	return &protocol.Error{Code: protocol.CodeWorkerUnavailable, RetryAfter: retryAfter, Err: errors.New(reason)}
}

// pick returns the worker to give a call to, nil if all are busy.
func (p *Pool) pick(size int) *worker {
	var best *worker
	for i := range p.slots {
		w := p.slots[i].worker
		if w == nil || w.gone || w.inFlight >= p.opts.Concurrency || w.inFlight > 0 && w.bytes+size > maxInFlightBytes {
			continue
		}
		if best == nil || w.inFlight < best.inFlight {
			best = w
		}
	}
	return best
}

// down reports whether every slot waits to start a worker again, and how long the
// first of them still does.
func (p *Pool) down() (wait time.Duration, down bool) {
	for i := range p.slots {
		left := time.Until(p.slots[i].retryAt)
		if left <= 0 {
			return 0, false
		}
		if i == 0 || left < wait {
			wait = left
		}
	}
	return wait, true
}

func (p *Pool) assign(w *worker, size int) {
	w.inFlight++
	w.bytes += size
	p.active++
}

// release gives a place at a worker back, which takes no more calls if it is gone.
func (p *Pool) release(w *worker, size int, gone bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.gone = w.gone || gone
	w.inFlight--
	w.bytes -= size
	p.active--
	p.dispatch()
	p.settle()
}

// dispatch gives places to those who wait longest.
func (p *Pool) dispatch() {
	for place := p.queue.Front(); place != nil; place = p.queue.Front() {
		next := place.Value.(*waiter)
		w := p.pick(next.bytes)
		if w == nil {
			return
		}
		p.queue.Remove(place)
		p.queued -= next.bytes
		p.assign(w, next.bytes)
		next.assigned <- w
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

// Stats is a snapshot of a pool.
type Stats struct {
	// Workers has one entry per slot.
	Workers []WorkerStats
	// Queued is the number of calls that wait for a worker.
	Queued int
}

// WorkerStats is a snapshot of one worker.
type WorkerStats struct {
	// PID is the process's id, 0 while there is none.
	PID int
	// InFlight is the number of calls that it has.
	InFlight int
	// Starts is how often a process was started in this slot.
	Starts int
}

// Stats returns a snapshot.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stats{Queued: p.queue.Len()}
	for i := range p.slots {
		ws := WorkerStats{Starts: p.slots[i].starts}
		if w := p.slots[i].worker; w != nil {
			ws.PID, ws.InFlight = w.proc.pid(), w.inFlight
		}
		s.Workers = append(s.Workers, ws)
	}
	return s
}
