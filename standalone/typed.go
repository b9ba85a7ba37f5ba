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

// Task registers a typed task. The input is decoded into an In; no input means the zero value. An
// input that does not fit gives 400 INVALID_INPUT. The result is encoded; if that fails, the
// caller gets an internal error. In and Out follow the rules of encoding/json, or of the
// registry's Codec, except that:
//
//   - an In of io.Reader or io.ReadCloser is the raw body of a call; a call without one gives 415
//     UNSUPPORTED_MEDIA_TYPE. It may be read until the task has returned, or a stream that it
//     returned has ended. With any other In a raw body gives 415, except for In any, which is nil
//     then.
//   - a [File], anywhere in In, is a required file of a form
//   - an Out of io.Reader or io.ReadCloser is sent byte by byte. An io.ReadCloser is closed in the
//     end. If the caller disconnects, another goroutine closes it, which must end a Read that
//     waits. Nil means an undefined result.
//   - an Out of *protocol.Reply is sent unchanged
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

// inputOf returns the function that makes an In from a call.
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

// jsonInputOf is inputOf for inputs that are decoded, by decode of dialect.go.
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
			return in, refusal // the task must not run with a zero value
		}
		if in, err = decode[In](codec, call.Payload); err == nil && files != nil {
			err = files.verify(in, call)
		}
		return in, err
	}
}

// outputOf returns the function that makes a reply from an Out.
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

// Event registers a typed event handler. The payload is decoded like the input of a Task. A caller
// that asks for the payload gets it back unchanged: use the raw tier for a handler that changes
// it.
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

// invalidInput returns the error for an input that does not fit, with the place if it is known,
// and without the names of Go types.
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

// warming serialises the first use of each type, which compiles its encoder and decoder: the
// library has been reported to race then. Later uses only read them. The result of the first use
// does not matter: a type may refuse null, or the encoding of its zero value.
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

// scope is the value in a typed handler's context.
type scope struct {
	call  *protocol.Call
	codec protocol.Codec
}

func (r *Registry) withCall(ctx context.Context, call *protocol.Call) context.Context {
	return context.WithValue(ctx, scopeKey{}, scope{call, r.Codec})
}

// CallFrom returns the call of a typed handler from the handler's context, with the request id,
// the headers and the caller's identity. It returns nil for other contexts. The call must not be
// kept after the handler has returned.
func CallFrom(ctx context.Context) *protocol.Call {
	s, _ := ctx.Value(scopeKey{}).(scope)
	return s.call
}
