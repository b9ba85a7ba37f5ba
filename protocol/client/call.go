package client

import (
	"context"
	"net/http"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Task runs a task and decodes its result into an Out. A nil input means no input; to send null,
// use json.RawMessage("null") or a nil pointer. A *File anywhere in the input is uploaded. An
// input that is an io.Reader is sent as application/octet-stream; if it is an io.Closer, it is
// closed after the call.
//
// An undefined result, for example of a task without a result, gives the zero Out. Use TaskStream
// for a result that is a stream. Every error is an *Error.
func Task[Out any](ctx context.Context, c *Client, id string, in any, opts ...Option) (out Out, err error) {
	r := c.newRequest(protocol.KindTask, id, opts)
	if err := r.setInput(in); err != nil {
		return out, r.failed(err)
	}
	err = r.run(ctx, func(a *answer, value []byte) error { return decode(c, a, value, &out) })
	return out, err
}

// Event emits an event and waits until its handlers have run. A nil payload means no payload. A
// payload cannot have files or readers. Every error is an *Error.
func Event(ctx context.Context, c *Client, id string, payload any, opts ...Option) error {
	r := c.newRequest(protocol.KindEvent, id, opts)
	if err := r.setPayload(payload, false); err != nil {
		return r.failed(err)
	}
	return r.run(ctx, func(*answer, []byte) error { return nil })
}

// EventWithResult is like Event, but also returns the payload after all handlers have run, decoded
// as Task decodes a result. Runner refuses this for parallel events.
func EventWithResult[Out any](ctx context.Context, c *Client, id string, payload any, opts ...Option) (out Out, err error) {
	r := c.newRequest(protocol.KindEvent, id, opts)
	if err := r.setPayload(payload, true); err != nil {
		return out, r.failed(err)
	}
	err = r.run(ctx, func(a *answer, value []byte) error {
		if value == nil {
			return a.bad("no result, which was asked for", nil)
		}
		return decode(c, a, value, &out)
	})
	return out, err
}

// Discover returns the tasks and events that the server allows its callers to call. Nil means that
// it exposes nothing. Every error is an *Error.
func (c *Client) Discover(ctx context.Context) (list *protocol.AllowList, err error) {
	r := c.bareRequest(http.MethodGet, "/discovery", "discovery")
	err = r.run(ctx, func(a *answer, value []byte) error {
		var found struct {
			AllowList *struct {
				Enabled       bool
				Tasks, Events []string
			}
		}
		if err := json.Unmarshal(value, &found); err != nil || found.AllowList == nil {
			return a.bad("not the result of discovery", err)
		}
		if found.AllowList.Enabled {
			list = protocol.NewAllowList(found.AllowList.Tasks, found.AllowList.Events)
		}
		return nil
	})
	return list, err
}

// run sends r and calls use with the answer and its result, nil if there is none.
func (r *request) run(ctx context.Context, use func(a *answer, value []byte) error) error {
	defer r.end()
	return r.do(ctx, func(res *http.Response) error {
		a, err := r.readAnswer(res)
		if err != nil {
			return err
		}
		value, err := a.result()
		if err != nil {
			return err
		}
		return use(a, value)
	})
}

// decode leaves out at its zero value if there is no value, or if the value does not fit.
func decode[Out any](c *Client, a *answer, value []byte, out *Out) error {
	if value == nil || protocol.IsUndefined(value) {
		return nil
	}
	if err := c.codec.Unmarshal(value, out); err != nil {
		*out = *new(Out)
		return a.bad("a result that does not fit", opaque(err))
	}
	return nil
}
