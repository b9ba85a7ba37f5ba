package ipc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

// maxReplays is how often a call is given to yet another worker when they end with it:
// it may be what ends them.
const maxReplays = 3

// errTimeout is the cause of the end of a context whose call's time is over.
var errTimeout = errors.New("ipc: task timeout")

// ask sends a message with size bytes of input to the worker with the fewest calls.
// Call is what it is about, nil if that is no task or event.
func (p *Pool) ask(ctx context.Context, size int, call *protocol.Call, appendTo func(dst []byte, id uint64) []byte) (answer, error) {
	limit, repeat := p.opts.TaskTimeout, false
	if call != nil {
		limit, repeat = p.opts.taskTimeout(call.ID), p.repeats(call)
	}
	if limit <= 0 {
		a, _ := p.try(ctx, size, call, repeat, nil, appendTo)
		return a, a.err
	}
	bound, cancel := context.WithCancelCause(ctx)
	clock := time.AfterFunc(math.MaxInt64, func() { cancel(errTimeout) }) // until a worker has the call
	a, streaming := p.try(bound, size, call, repeat, func() { clock.Reset(limit) }, appendTo)
	clock.Stop()
	if a.err != nil && a.err == bound.Err() && context.Cause(bound) == errTimeout {
		a.err = &protocol.Error{Code: protocol.CodeTaskTimeout, Err: fmt.Errorf("ipc: no answer within %v", limit)}
	}
	if !streaming { // which needs the context, as long as ctx
		cancel(nil)
	}
	return a, a.err
}

// try gives a call to one worker after the other, until one keeps it. It calls placed,
// unless that is nil, when the first is found. Streaming reports that the answer is a
// stream.
func (p *Pool) try(ctx context.Context, size int, call *protocol.Call, repeat bool, placed func(), appendTo func(dst []byte, id uint64) []byte) (a answer, streaming bool) {
	var until time.Time // for all waiting together
	for replays := 0; ; {
		m, err := p.acquire(ctx, size, &until)
		if err != nil {
			return answer{err: err}, false
		}
		if placed != nil {
			placed()
			placed = nil
		}
		if call != nil {
			call.Worker = m.worker.name
		}
		a, pending := m.worker.ask(ctx, size, call, appendTo)
		p.settle(ctx, m, size, a, pending)
		switch {
		case a.err == errGone:
		case repeat && replays < maxReplays && errors.Is(a.err, errEnded):
			replays++
		default:
			return a, pending && a.err == nil
		}
		p.replays.Add(1)
	}
}

// settle tells the scheduler what became of a call at a worker.
func (p *Pool) settle(ctx context.Context, m *member, size int, a answer, pending bool) {
	p.mu.Lock()
	defer p.unlock()
	switch {
	case pending && a.err != nil:
		p.cancels.Add(1)
		if context.Cause(ctx) == errTimeout {
			p.timeouts.Add(1)
			p.s.expire(time.Now(), m, a.id)
		}
		p.s.leave(m)
	case pending: // a stream
	case a.err == errGone:
		p.s.lose(time.Now(), m)
		p.s.free(m, size)
		p.s.leave(m)
	default:
		p.s.release(m, size, a.err != nil)
	}
}

// repeats reports whether a call may be run twice.
func (p *Pool) repeats(call *protocol.Call) bool {
	return call.Kind == protocol.KindTask && call.Body == nil && call.Form == nil && p.announced.Load().idempotent[call.ID]
}
