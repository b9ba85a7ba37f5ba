package standalone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Task registers a typed task. The input is decoded into an In, whose zero value
// stands for no input; one that does not fit is answered with 400 INVALID_INPUT. The
// result is encoded; one that cannot be is an internal error. In and Out follow the
// rules of encoding/json, or of the registry's Codec, except that:
//
//   - an In of io.Reader or io.ReadCloser is the raw body of a call that has one; every
//     other call is answered with 415 UNSUPPORTED_MEDIA_TYPE. It may be read until the
//     task has returned, or a stream that it returned has ended. Any other In is answered
//     with 415 for a raw body, but for an any: that is nil then.
//   - a [File], anywhere in In, is a file of a form, which must be there
//   - an Out of io.Reader or io.ReadCloser is sent byte by byte. One that can be closed
//     is closed in the end, by another goroutine if the caller leaves, which must end a
//     Read that waits. Nil is a result that is undefined.
//   - an Out of *protocol.Reply is sent as it is
//
// It panics as HandleTask does.
func Task[In, Out any](r *Registry, id string, fn func(ctx context.Context, in In) (Out, error)) {
	if fn == nil {
		r.HandleTask(id, nil)
	}
	input, output := inputOf[In](), outputOf[Out]()
	r.HandleTask(id, func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
		in, err := input(r.Codec, call)
		if err != nil {
			return nil, err
		}
		out, err := fn(r.withCall(ctx, call), in)
		if err != nil {
			return nil, err
		}
		reply, err := output(ctx, r.Codec, out)
		if err != nil {
			return nil, fmt.Errorf("standalone: encode the result of task %s: %w", call.ID, err)
		}
		return reply, nil
	})
	r.setInput(protocol.KindTask, id, reflect.TypeFor[In]())
}

// inputOf returns the function that makes an In of a call.
func inputOf[In any]() func(protocol.Codec, *protocol.Call) (In, error) {
	switch any((*In)(nil)).(type) {
	case *io.Reader, *io.ReadCloser:
		return func(_ protocol.Codec, call *protocol.Call) (body In, err error) {
			if call.Body == nil {
				return body, errNoBody
			}
			return call.Body.(In), nil
		}
	}
	return jsonInputOf[In]()
}

// jsonInputOf is for what is decoded.
func jsonInputOf[In any]() func(protocol.Codec, *protocol.Call) (In, error) {
	warmDecoder[In]()
	t := reflect.TypeFor[In]()
	files, takesNone := requiredFiles(t), t.Kind() == reflect.Interface
	refusal := errOctets
	if files != nil {
		refusal = errNoForm
	}
	return func(codec protocol.Codec, call *protocol.Call) (in In, err error) {
		if call.Body != nil && !takesNone {
			return in, refusal // and not run for a zero value
		}
		if in, err = decode[In](codec, call.Payload); err == nil && files != nil {
			err = files.verify(in, call)
		}
		return in, err
	}
}

// outputOf returns the function that makes a reply of an Out.
func outputOf[Out any]() func(context.Context, protocol.Codec, Out) (*protocol.Reply, error) {
	switch any((*Out)(nil)).(type) {
	case *io.Reader, *io.ReadCloser:
		return func(ctx context.Context, _ protocol.Codec, out Out) (*protocol.Reply, error) {
			source, _ := any(out).(io.Reader)
			return streamed(ctx, source), nil
		}
	case **protocol.Reply:
		return func(_ context.Context, _ protocol.Codec, out Out) (*protocol.Reply, error) {
			return any(out).(*protocol.Reply), nil
		}
	}
	warmEncoder[Out]()
	return func(_ context.Context, codec protocol.Codec, out Out) (*protocol.Reply, error) {
		value, err := encode(codec, out)
		return &protocol.Reply{Value: value}, err
	}
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
	input := jsonInputOf[P]()
	r.HandleEvent(id, func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
		payload, err := input(r.Codec, call)
		if err != nil {
			return nil, err
		}
		if err := fn(r.withCall(ctx, call), payload); err != nil {
			return nil, err
		}
		return &protocol.Reply{Value: call.Payload}, nil
	})
	r.setInput(protocol.KindEvent, id, reflect.TypeFor[P]())
}

// invalidInput says where the input does not fit, as far as that is known, without
// the names of Go types.
func invalidInput(err error) error {
	invalid := &protocol.Error{Code: protocol.CodeInvalidInput, Err: err}
	var mismatch *json.UnmarshalTypeError
	if errors.Is(err, errNoFile) {
		invalid.Message = "Invalid input: not a file"
	}
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

type scopeKey struct{}

// scope is what a typed handler's context knows.
type scope struct {
	call  *protocol.Call
	codec protocol.Codec
}

func (r *Registry) withCall(ctx context.Context, call *protocol.Call) context.Context {
	return context.WithValue(ctx, scopeKey{}, scope{call, r.Codec})
}

// CallFrom returns the call that a typed handler runs for, from its context: for the
// request id, the headers and the caller's identity. It is nil in other contexts,
// and must not be kept after the handler has returned.
func CallFrom(ctx context.Context) *protocol.Call {
	s, _ := ctx.Value(scopeKey{}).(scope)
	return s.call
}
