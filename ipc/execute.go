package ipc

import (
	"context"
	"fmt"
	"net/http"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/lane"
)

// Execute runs a call on the worker with the fewest calls in flight. If all are busy, the call waits
// in the queue, see Pool.wait. The errors, other than those of the task itself, are: 502 WORKER_CRASHED if the
// worker ended during the call (see Options.Idempotent); 503 OVERLOADED if the queue is full or no
// worker had time in QueueTimeout; 503 WORKER_UNAVAILABLE if no worker runs and the next try is not
// due within QueueTimeout, or if the pool is closing; 504 TASK_TIMEOUT if the worker did not answer
// in time; 401 UNAUTHORIZED if the call's lane needs a token and the call has no valid one; and the
// context's error if the context is done, which also cancels the call on the framed wire.
func (p *Pool) Execute(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
	if err := p.Confirm(call); err != nil { // a handler has called it before, other users have not
		return nil, err
	}
	var identity []byte
	if call.Identity != nil && (p.opts.Wire != PlainWire || p.opts.PlainContext) {
		var err error
		if identity, err = json.Marshal(call.Identity); err != nil {
			return nil, fmt.Errorf("ipc: encode the caller's identity: %w", err)
		}
	}
	if p.opts.Wire == PlainWire && (call.Body != nil || call.Form != nil) {
		return nil, &protocol.Error{Code: protocol.CodeUnsupportedMediaType, Message: "Files and streams need a worker on the framed wire"}
	}
	hash := lane.Claim(call)
	a, err := p.roundTrip(ctx, len(call.Payload)+len(call.ID), call, func(dst []byte, id uint64) []byte {
		if p.opts.Wire == PlainWire {
			return wire.AppendPlainCall(dst, id, call, p.opts.PlainContext, identity)
		}
		return wire.AppendCall(dst, id, call, identity, hash)
	})
	if err != nil {
		return nil, err
	}
	if a.Stream != nil {
		return a.Stream.Reply(), nil
	}
	if a.Value == nil && p.opts.Wire == PlainWire && call.Kind == protocol.KindEvent {
		a.Value = call.Payload // on the plain wire no result means the payload as it was
	}
	return &protocol.Reply{Value: a.Value, Void: a.Void}, nil
}

// Authenticate sends a request to a worker on the framed wire, where the module's authenticate
// function, or the auth validators of the Runner application, accept or refuse it. Use it as
// tunnel.Config.Authenticate. The identity is the function's result as JSON, nil for none, and tasks
// get it. If there is no such function, the error is AUTH_NOT_CONFIGURED.
func (p *Pool) Authenticate(r *http.Request) (identity any, err error) {
	if hello := p.announced.Load().hello; hello == nil || !hello.Auth {
		return nil, &protocol.Error{Code: protocol.CodeAuthNotConfigured}
	}
	a, err := p.roundTrip(r.Context(), len(r.RequestURI), nil, func(dst []byte, id uint64) []byte {
		return wire.AppendAuth(dst, id, r)
	})
	if err != nil || a.Value == nil {
		return nil, err
	}
	return json.RawMessage(a.Value), nil
}
