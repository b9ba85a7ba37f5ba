package client

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Stream is the body of a task's answer, as it arrives. Read and Close it from one goroutine;
// another one may also call Close, which ends a Read that waits. If the input is an io.Reader, it
// is read at the same time as the stream if the server does so too, and always over HTTP/2.
type Stream struct {
	// Status is the HTTP status that the task chose, 200 to 299.
	Status int
	// ContentType is application/octet-stream unless the task chose another one.
	ContentType string
	Header      http.Header

	request *request
	body    io.ReadCloser
}

// TaskStream runs a task and returns its result as a stream, which ends with ctx and must be
// closed. The input is as in [Task]. An answer of type application/json is read as an envelope, as
// Runner's clients do, since nothing distinguishes the two. If the task returns a value instead,
// or the status is not 200 to 299, the error is an *AnswerError. Every error is an *Error.
func TaskStream(ctx context.Context, c *Client, id string, in any, opts ...Option) (*Stream, error) {
	r := c.newRequest(protocol.KindTask, id, opts)
	if err := r.setInput(in); err != nil {
		return nil, r.failed(err)
	}
	var stream *Stream
	err := r.do(ctx, func(res *http.Response) error {
		contentType := res.Header.Get("Content-Type")
		if 200 <= res.StatusCode && res.StatusCode < 300 && !isJSON(contentType) {
			stream = &Stream{Status: res.StatusCode, ContentType: contentType, Header: res.Header, request: r, body: res.Body}
			return nil
		}
		a, err := r.readAnswer(res)
		if err != nil {
			return err
		}
		if _, err := a.result(); err != nil {
			return err
		}
		return a.bad("a value, not a stream", nil)
	})
	if err != nil {
		r.end()
		return nil, err
	}
	return stream, nil
}

func isJSON(contentType string) bool {
	return strings.HasPrefix(strings.ToLower(contentType), "application/json")
}

// Read reads the body. An error other than io.EOF means that the body was cut short.
func (s *Stream) Read(b []byte) (int, error) {
	n, err := s.body.Read(b)
	if err != nil && err != io.EOF {
		err = s.request.withReaderError(err)
	}
	return n, err
}

// Close ends the call: it drops the rest of the body, and closes the input's reader if it is an
// io.Closer.
func (s *Stream) Close() error {
	err := s.body.Close()
	s.request.end()
	return err
}
