package ipc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/conn"
	"github.com/bluelibs/go-tunnel/ipc/internal/sched"
	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
	"github.com/bluelibs/go-tunnel/protocol"
)

// maxReplays is how often a call is sent to another worker when its worker ends: the call may be the
// cause.
const maxReplays = 1

// roundTrip sends a message with size bytes of input to the worker with the fewest calls and
// returns the answer. Call is the task or event, nil for another message.
func (p *Pool) roundTrip(ctx context.Context, size int, call *protocol.Call, appendTo func(dst []byte, id uint64) []byte) (wire.Answer, error) {
	limit, repeat := p.opts.TaskTimeout, false
	if call != nil {
		limit, repeat = p.opts.taskTimeout(call.ID), p.repeats(call)
	}
	if limit <= 0 {
		a, _ := p.try(ctx, size, call, repeat, 0, nil, appendTo)
		return a, a.Err
	}
	bound, cancel := context.WithCancelCause(ctx)
	clock := time.AfterFunc(math.MaxInt64, func() { cancel(ErrTaskTimeout) }) // try sets it
	a, streaming := p.try(bound, size, call, repeat, limit, clock, appendTo)
	clock.Stop()
	if a.Err != nil && a.Err == bound.Err() && context.Cause(bound) == ErrTaskTimeout {
		a.Err = &protocol.Error{Code: protocol.CodeTaskTimeout, Err: fmt.Errorf("%w within %v", ErrTaskTimeout, limit)}
	}
	if !streaming { // a stream needs the context until ctx is done
		cancel(nil)
	}
	return a, a.Err
}

// try sends a call to one worker after the other until one has received it. If there is a limit, the
// clock starts when the first worker is found. Streaming reports that the answer is a stream.
func (p *Pool) try(ctx context.Context, size int, call *protocol.Call, repeat bool, limit time.Duration, clock *time.Timer, appendTo func(dst []byte, id uint64) []byte) (a wire.Answer, streaming bool) {
	var until, expires time.Time // the end of all waits together; the end of the limit
	for replays := 0; ; {
		entry, err := p.acquire(ctx, size, &until)
		if err != nil {
			return wire.Answer{Err: err}, false
		}
		w := entry.Handle.(*worker)
		if limit > 0 && expires.IsZero() {
			expires = time.Now().Add(limit)
			clock.Reset(limit)
		}
		if call != nil {
			call.Worker = w.name
		}
		a, pending := w.conn.RoundTrip(ctx, size, call, appendTo)
		p.finish(ctx, entry, size, a, pending, expires)
		switch {
		case a.Err == conn.ErrNotReceived:
		case repeat && replays < maxReplays && errors.Is(a.Err, conn.ErrEnded):
			replays++
		default:
			return a, pending && a.Err == nil
		}
		p.replays.Add(1)
	}
}

// finish tells the scheduler how a call at a worker has ended. Expires is when the time of the call
// ends, zero for never.
func (p *Pool) finish(ctx context.Context, entry *sched.Worker, size int, a wire.Answer, pending bool, expires time.Time) {
	var due time.Time
	if pending && a.Err != nil {
		due = p.opts.answerBy(expires)
		entry.Handle.(*worker).conn.SetDeadline(a.ID, due)
	}
	p.mu.Lock()
	defer p.unlock()
	switch {
	case pending && a.Err != nil:
		p.cancels.Add(1)
		if context.Cause(ctx) == ErrTaskTimeout {
			p.timeouts.Add(1)
		}
		p.sched.Abandon(entry, due)
	case pending: // a stream
	case a.Err == conn.ErrNotReceived:
		p.sched.Drain(time.Now(), entry)
		p.sched.Withdraw(entry, size)
	default:
		p.sched.Complete(entry, size, a.Err != nil)
	}
}

// repeats reports whether a call may be run twice.
func (p *Pool) repeats(call *protocol.Call) bool {
	return call.Kind == protocol.KindTask && call.Body == nil && call.Form == nil && p.announced.Load().idempotent[call.ID]
}

// answerBy returns when a worker must have answered an abandoned call, zero for never. Expires is
// when the time of the call ends, zero for never. The plain wire cannot cancel.
func (o *Options) answerBy(expires time.Time) time.Time {
	if expires.IsZero() {
		if o.Wire == PlainWire {
			return expires
		}
		expires = time.Now()
	}
	return expires.Add(o.CancelGrace)
}

// acquire gets a place at a worker for a call with size bytes of input. It waits until *until at
// most. If that is zero and it has to wait, it sets *until.
func (p *Pool) acquire(ctx context.Context, size int, until *time.Time) (*sched.Worker, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	if entry := p.sched.TryAcquire(size); entry != nil {
		p.mu.Unlock()
		return entry, nil
	}
	now := time.Now()
	waiter, err := p.sched.Enqueue(now, size)
	p.unlock()
	if err != nil {
		return nil, err
	}
	if until.IsZero() {
		*until = now.Add(p.opts.QueueTimeout)
	}
	return p.wait(ctx, waiter, *until)
}

// wait waits until a call in the queue gets a worker.
func (p *Pool) wait(ctx context.Context, waiter *sched.Waiter, until time.Time) (*sched.Worker, error) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case entry := <-waiter.Assigned:
		return p.assigned(ctx, waiter, entry)
	case <-ctx.Done():
	case <-timer.C:
	}
	p.mu.Lock()
	if !p.sched.Dequeue(waiter) {
		p.mu.Unlock()
		return p.assigned(ctx, waiter, <-waiter.Assigned)
	}
	defer p.unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, p.sched.Expire(time.Now())
}

// assigned returns the worker that a waiting call has got.
func (p *Pool) assigned(ctx context.Context, waiter *sched.Waiter, entry *sched.Worker) (*sched.Worker, error) {
	if entry == nil {
		return nil, waiter.Err
	}
	p.waits.Add(1)
	p.waited.Add(uint64(time.Since(waiter.Since)))
	if err := ctx.Err(); err != nil { // the caller has just disconnected: the worker must not see the call
		p.update(func(time.Time) { p.sched.Withdraw(entry, waiter.Size) })
		return nil, err
	}
	return entry, nil
}
