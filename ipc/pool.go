package ipc

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goccy/go-json"

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

// waiter is a call that waits for a worker.
type waiter struct {
	assigned chan *worker // has room for the one that it gets
	bytes    int
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
	p.slots[slot].worker = w
	p.slots[slot].retryAt = time.Time{}
	p.slots[slot].starts++
	if p.stopping() {
		w.kill()
	}
	p.mu.Unlock()
	said := w.opts.Plain
	err = w.run(func(hello *control) {
		said = true
		p.adopt(w, hello)
		ready()
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

// Execute runs a call on the worker with the fewest calls in flight. If all are busy
// it waits in the queue. Beyond the errors of the task itself it returns 502
// WORKER_CRASHED if the worker ended with the call, 503 OVERLOADED if there is no
// room in the queue or none of the workers had time for it, 503 WORKER_UNAVAILABLE
// if there is none or the pool is closing, and the context's error if that is done.
// What was given to a worker on the framed wire is cancelled there if the context is
// done; the plain wire has no message for it.
func (p *Pool) Execute(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
	var identity []byte
	if call.Identity != nil && !p.opts.Plain {
		var err error
		if identity, err = json.Marshal(call.Identity); err != nil {
			return nil, fmt.Errorf("ipc: encode the caller's identity: %w", err)
		}
	}
	value, err := p.ask(ctx, len(call.Payload)+len(call.ID), func(dst []byte, id uint64) []byte {
		if p.opts.Plain {
			return appendMessage(dst, id, call)
		}
		return appendFramedCall(dst, id, call, identity)
	})
	if err != nil {
		return nil, err
	}
	if value == nil && p.opts.Plain && call.Kind == protocol.KindEvent {
		value = call.Payload // a plain worker that says nothing has left it as it was
	}
	return &protocol.Reply{Value: value}, nil
}

// Authenticate asks a worker on the framed wire whether to let a request in: its
// module's authenticate function, or the auth validators of its Runner application.
// Use it as tunnel.Config.Authenticate. The identity is the JSON of what the function
// returned, nil for none, and reaches the tasks. Without a function to ask the error
// is AUTH_NOT_CONFIGURED.
func (p *Pool) Authenticate(r *http.Request) (identity any, err error) {
	if !p.authenticates() {
		return nil, &protocol.Error{Code: protocol.CodeAuthNotConfigured}
	}
	value, err := p.ask(r.Context(), len(r.RequestURI), func(dst []byte, id uint64) []byte {
		return appendFramedAuth(dst, id, r)
	})
	if err != nil || value == nil {
		return nil, err
	}
	return json.RawMessage(value), nil
}

// authenticates reports whether the worker last started has an authenticate function.
func (p *Pool) authenticates() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.auth
}

// ask sends a message with size bytes of input to the worker with the fewest.
func (p *Pool) ask(ctx context.Context, size int, appendTo func(dst []byte, id uint64) []byte) ([]byte, error) {
	for {
		w, err := p.acquire(ctx, size)
		if err != nil {
			return nil, err
		}
		value, err := w.ask(ctx, appendTo)
		p.release(w, size, err == errGone)
		if err != errGone {
			return value, err
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
		if w == nil || !w.ready || w.gone || w.inFlight >= p.opts.Concurrency || w.inFlight > 0 && w.bytes+size > maxInFlightBytes {
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
