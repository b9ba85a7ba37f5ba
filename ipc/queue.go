package ipc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

// maxInFlightBytes bounds the inputs that one worker has at once, in bytes, together
// with MaxQueueBytes the memory that waiting callers can claim.
const maxInFlightBytes = 64 << 20

// waiter is a call that waits for a worker.
type waiter struct {
	assigned chan *worker // has room for the one that it gets
	bytes    int
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
