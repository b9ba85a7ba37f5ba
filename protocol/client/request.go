package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/bluelibs/go-tunnel/protocol"
)

// request is one call, which may take several HTTP requests.
type request struct {
	client   *Client
	op       string
	method   string
	path     string
	header   http.Header
	contexts map[string]any
	retry    *Retry
	kind     protocol.Kind
	id       string
	signer   LaneSigner // nil signs nothing

	json   []byte  // a body that can be sent several times
	upload *upload // a body that can be sent once
}

func (c *Client) newRequest(kind protocol.Kind, id string, opts []Option) *request {
	r := c.bareRequest(http.MethodPost, "/"+kind.String()+"/"+url.PathEscape(id), kind.String()+" "+id)
	r.kind, r.id = kind, id
	for _, opt := range opts {
		opt(r)
	}
	return r
}

func (c *Client) bareRequest(method, path, op string) *request {
	r := &request{client: c, op: op, method: method, path: path, header: c.header.Clone()}
	r.setRequestID("")
	return r
}

// setRequestID sets the id to send, a new one if id is not acceptable.
func (r *request) setRequestID(id string) {
	r.header.Set(protocol.HeaderRequestID, id)
	r.header.Set(protocol.HeaderRequestID, protocol.RequestID(r.header))
}

// setInput sets the body of a task.
func (r *request) setInput(in any) error {
	if reader, ok := in.(io.Reader); ok {
		r.upload = newUpload(reader, reader)
		r.header.Set("Content-Type", "application/octet-stream")
		return nil
	}
	value, files, err := r.client.encodeInput(in)
	if err != nil {
		return err
	}
	manifest := slices.Concat([]byte(`{"input":`), value, []byte(`}`))
	if len(files) == 0 {
		r.setJSON(manifest)
		return nil
	}
	form, contentType := newForm(manifest, files)
	r.upload = form
	r.header.Set("Content-Type", contentType)
	return nil
}

// setPayload sets the body of an event, which is always JSON.
func (r *request) setPayload(payload any, returnPayload bool) error {
	if _, ok := payload.(io.Reader); ok {
		return errors.New("an event's payload cannot be a stream")
	}
	value, files, err := r.client.encodeInput(payload)
	if err != nil {
		return err
	}
	if len(files) > 0 {
		return errors.New("an event's payload cannot have files")
	}
	end := `}`
	if returnPayload {
		end = `,"returnPayload":true}`
	}
	r.setJSON(slices.Concat([]byte(`{"payload":`), value, []byte(end)))
	return nil
}

func (r *request) setJSON(body []byte) {
	r.json = body
	r.header.Set("Content-Type", "application/json; charset=utf-8")
}

// do sends the request, several times with a Retry. Read gets the answer, and closes it. The error
// is an *Error. The caller must end the request.
func (r *request) do(ctx context.Context, read func(*http.Response) error) error {
	if len(r.contexts) > 0 {
		text, err := r.client.contextHeader(r.contexts)
		if err != nil {
			return r.failed(err)
		}
		r.header.Set(headerContext, text)
	}
	for attempt := 1; ; attempt++ {
		err := r.try(ctx, read)
		if err == nil {
			return nil
		}
		if r.upload != nil || !r.retry.wait(ctx, attempt, err) {
			return err
		}
	}
}

// try sends the request once.
func (r *request) try(ctx context.Context, read func(*http.Response) error) *Error {
	res, err := r.send(ctx)
	if err != nil {
		return r.failed(&TransportError{Err: err})
	}
	if err := read(res); err != nil {
		failed := r.failed(err)
		failed.Status = res.StatusCode
		failed.RetryAfter = retryAfter(res.Header)
		if id := res.Header.Get(protocol.HeaderRequestID); id != "" {
			failed.RequestID = id
		}
		return failed
	}
	return nil
}

func (r *request) send(ctx context.Context) (*http.Response, error) {
	var body io.Reader
	switch {
	case r.upload != nil:
		body = r.upload
	case r.json != nil:
		body = bytes.NewReader(r.json)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.client.base+r.path, body)
	if err != nil {
		return nil, err
	}
	req.Header = r.header.Clone()
	if r.signer != nil {
		if err := r.signer.Sign(req.Header, r.kind, r.id, r.json); err != nil {
			return nil, err
		}
	}
	res, err := r.client.http.Do(req)
	if err != nil {
		return nil, r.withReaderError(err)
	}
	return res, nil
}

// withReaderError adds the error of the caller's own reader to err.
func (r *request) withReaderError(err error) error {
	if r.upload != nil {
		if own := r.upload.failure(); own != nil {
			return fmt.Errorf("%w (the input's reader: %w)", err, own)
		}
	}
	return err
}

// end closes the caller's readers.
func (r *request) end() {
	if r.upload != nil {
		_ = r.upload.Close()
	}
}

func (r *request) failed(err error) *Error {
	return &Error{Op: r.op, RequestID: r.header.Get(protocol.HeaderRequestID), Err: err}
}
