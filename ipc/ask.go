package ipc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/conn"
	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
	"github.com/bluelibs/go-tunnel/protocol"
)

// maxReplays is how often a call is given to yet another worker when they end with it:
// it may be what ends them.
const maxReplays = 1

// errTimeout is the cause of the end of a context whose call's time is over.
var errTimeout = errors.New("ipc: task timeout")

// ask sends a message with size bytes of input to the worker with the fewest calls.
// Call is what it is about, nil if that is no task or event.
func (p *Pool) ask(ctx context.Context, size int, call *protocol.Call, appendTo func(dst []byte, id uint64) []byte) (wire.Answer, error) {
	limit, repeat := p.opts.TaskTimeout, false
	if call != nil {
		limit, repeat = p.opts.taskTimeout(call.ID), p.repeats(call)
	}
	if limit <= 0 {
		a, _ := p.try(ctx, size, call, repeat, 0, nil, appendTo)
		return a, a.Err
	}
	bound, cancel := context.WithCancelCause(ctx)
	clock := time.AfterFunc(math.MaxInt64, func() { cancel(errTimeout) }) // until a worker has the call
	a, streaming := p.try(bound, size, call, repeat, limit, clock, appendTo)
	clock.Stop()
	if a.Err != nil && a.Err == bound.Err() && context.Cause(bound) == errTimeout {
		a.Err = &protocol.Error{Code: protocol.CodeTaskTimeout, Err: fmt.Errorf("ipc: no answer within %v", limit)}
	}
	if !streaming { // which needs the context, as long as ctx
		cancel(nil)
	}
	return a, a.Err
}

// try gives a call to one worker after the other, until one keeps it. If there is a limit
// it starts the clock when the first is found. Streaming reports that the answer is a
// stream.
func (p *Pool) try(ctx context.Context, size int, call *protocol.Call, repeat bool, limit time.Duration, clock *time.Timer, appendTo func(dst []byte, id uint64) []byte) (a wire.Answer, streaming bool) {
	var until time.Time // for all waiting together
	var over time.Time  // of the limit
	for replays := 0; ; {
		m, err := p.acquire(ctx, size, &until)
		if err != nil {
			return wire.Answer{Err: err}, false
		}
		if limit > 0 && over.IsZero() {
			over = time.Now().Add(limit)
			clock.Reset(limit)
		}
		if call != nil {
			call.Worker = m.worker.name
		}
		a, pending := m.worker.conn.RoundTrip(ctx, size, call, appendTo)
		p.settle(ctx, m, size, a, pending, over)
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

// settle tells the scheduler what became of a call at a worker, the time for which is over
// then, if that is not zero.
func (p *Pool) settle(ctx context.Context, m *member, size int, a wire.Answer, pending bool, over time.Time) {
	var due time.Time
	if pending && a.Err != nil {
		due = p.opts.dueAfter(over)
		m.worker.conn.SetDeadline(a.ID, due)
	}
	p.mu.Lock()
	defer p.unlock()
	switch {
	case pending && a.Err != nil:
		p.cancels.Add(1)
		if context.Cause(ctx) == errTimeout {
			p.timeouts.Add(1)
		}
		p.s.leave(m, due)
	case pending: // a stream
	case a.Err == conn.ErrNotReceived:
		p.s.lose(time.Now(), m)
		p.s.free(m, size)
		p.s.leave(m, time.Time{})
	default:
		p.s.release(m, size, a.Err != nil)
	}
}

// repeats reports whether a call may be run twice.
func (p *Pool) repeats(call *protocol.Call) bool {
	return call.Kind == protocol.KindTask && call.Body == nil && call.Form == nil && p.announced.Load().idempotent[call.ID]
}

// dueAfter returns when a worker must have answered a call that nobody waits for any more,
// the time for which is over then, or has no limit if that is zero. The plain wire cannot
// cancel: without a limit the zero time says that there is no bound there.
func (o *Options) dueAfter(over time.Time) time.Time {
	if over.IsZero() {
		if o.Plain {
			return over
		}
		over = time.Now()
	}
	return over.Add(o.CancelGrace)
}
