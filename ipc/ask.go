package ipc

import (
	"context"
	"errors"
	"fmt"
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
	var until time.Time // for all waiting together
	var timer *time.Timer
	streaming := false // the result: it needs the context
	for replays := 0; ; {
		m, err := p.acquire(ctx, size, &until)
		if err != nil {
			return answer{}, p.timed(ctx, limit, err)
		}
		if limit > 0 && timer == nil { // for all workers together
			var cancel context.CancelCauseFunc
			ctx, cancel = context.WithCancelCause(ctx)
			timer = time.AfterFunc(limit, func() { cancel(errTimeout) })
			defer timer.Stop()
			defer func() {
				if !streaming {
					cancel(nil)
				}
			}()
		}
		a, pending := m.worker.ask(ctx, size, appendTo)
		streaming = pending && a.err == nil
		p.settle(ctx, m, size, a, pending)
		switch {
		case a.err == errGone:
		case repeat && replays < maxReplays && errors.Is(a.err, errEnded):
			replays++
		default:
			return a, p.timed(ctx, limit, a.err)
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
		p.s.lose(m)
		p.s.free(m, size)
		p.s.leave(m)
	default:
		p.s.release(m, size, a.err != nil)
	}
}

// timed makes a timeout of the error of a call whose time is over.
func (p *Pool) timed(ctx context.Context, limit time.Duration, err error) error {
	if err != nil && err == ctx.Err() && context.Cause(ctx) == errTimeout {
		return &protocol.Error{Code: protocol.CodeTaskTimeout, Err: fmt.Errorf("ipc: no answer within %v", limit)}
	}
	return err
}

// repeats reports whether a call may be run twice.
func (p *Pool) repeats(call *protocol.Call) bool {
	return call.Kind == protocol.KindTask && call.Body == nil && call.Form == nil && p.announced.Load().idempotent[call.ID]
}
