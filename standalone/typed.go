package standalone

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Task registers a typed task. The input is decoded into an In, whose zero value
// stands for no input; one that does not fit is answered with 400 INVALID_INPUT. The
// result is encoded; one that cannot be is an internal error. In and Out follow the
// rules of encoding/json, or of the registry's Codec.
//
// It panics as HandleTask does.
func Task[In, Out any](r *Registry, id string, fn func(ctx context.Context, in In) (Out, error)) {
	if fn == nil {
		r.HandleTask(id, nil)
	}
	warmDecoder[In]()
	warmEncoder[Out]()
	r.HandleTask(id, func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
		in, err := decode[In](r.Codec, call.Payload)
		if err != nil {
			return nil, err
		}
		out, err := fn(withCall(ctx, call), in)
		if err != nil {
			return nil, err
		}
		value, err := encode(r.Codec, out)
		if err != nil {
			return nil, fmt.Errorf("standalone: encode the result of task %s: %w", call.ID, err)
		}
		return &protocol.Reply{Value: value}, nil
	})
}

// Event registers a typed event handler. The payload is decoded as the input of a
// Task is. A caller that asks for the payload back gets it as it sent it: a handler
// that changes it belongs to the raw tier.
//
// It panics as HandleEvent does.
func Event[P any](r *Registry, id string, fn func(ctx context.Context, payload P) error) {
	if fn == nil {
		r.HandleEvent(id, nil)
	}
	warmDecoder[P]()
	r.HandleEvent(id, func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
		payload, err := decode[P](r.Codec, call.Payload)
		if err != nil {
			return nil, err
		}
		if err := fn(withCall(ctx, call), payload); err != nil {
			return nil, err
		}
		return &protocol.Reply{Value: call.Payload}, nil
	})
}

// invalidInput says where the input does not fit, as far as that is known, without
// the names of Go types.
func invalidInput(err error) error {
	invalid := &protocol.Error{Code: protocol.CodeInvalidInput, Err: err}
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		invalid.Message = "Invalid input: unexpected " + mismatch.Value
		if mismatch.Field != "" {
			invalid.Message += " at " + mismatch.Field
		}
	}
	return invalid
}

// warming serialises the first use of each type. The encoder and decoder of a type
// are compiled then, which the library has been reported to race at; afterwards
// they are only read. What the first use returns does not matter: a type may well
// refuse null, or the encoding of its zero value.
var warming sync.Mutex

func warmDecoder[T any]() {
	warming.Lock()
	defer warming.Unlock()
	var value T
	_ = json.UnmarshalOf([]byte("null"), &value)
}

func warmEncoder[T any]() {
	warming.Lock()
	defer warming.Unlock()
	var value T
	_, _ = json.MarshalOf(value, json.DisableHTMLEscape())
}

type callKey struct{}

func withCall(ctx context.Context, call *protocol.Call) context.Context {
	return context.WithValue(ctx, callKey{}, call)
}

// CallFrom returns the call that a typed handler runs for, from its context: for the
// request id, the headers and the caller's identity. It is nil in other contexts,
// and must not be kept after the handler has returned.
func CallFrom(ctx context.Context) *protocol.Call {
	call, _ := ctx.Value(callKey{}).(*protocol.Call)
	return call
}
