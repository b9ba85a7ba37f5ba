// Package outcome tells how a call ended, for a tunnel.Middleware that watches calls:
// modules protocol/metrics and protocol/tracing are made of it.
package outcome

import (
	"context"
	"io"
	"net/http"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Executor is a tunnel.Executor, whose package this one does not import.
type Executor interface {
	Execute(ctx context.Context, call *protocol.Call) (*protocol.Reply, error)
}

// OK is the code of a call that succeeded.
const OK protocol.Code = "OK"

// Result is how a call ended.
type Result struct {
	Code   protocol.Code // OK, or one of the protocol's
	Status int           // of the answer; 200 for every success
}

// Watch runs a call on next and calls done once, when it is over: for a streamed reply
// that is when the stream is closed. A next that panics, which none below a
// tunnel.Handler does, ends with INTERNAL_ERROR.
func Watch(ctx context.Context, next Executor, call *protocol.Call, done func(Result)) (*protocol.Reply, error) {
	result, streams := Result{protocol.CodeInternal, http.StatusInternalServerError}, false // of a panic
	defer func() {
		if !streams {
			done(result)
		}
	}()
	reply, err := next.Execute(ctx, call)
	switch {
	case err != nil:
		result = failure(err)
	case reply == nil: // what an executor must not return: the handler fails it
	case reply.Stream != nil:
		streams = true
		watched := *reply
		watched.Stream = &stream{ReadCloser: reply.Stream, done: done}
		return &watched, nil
	default:
		result = success
	}
	return reply, err
}

var success = Result{OK, http.StatusOK}

// failure returns what the handler makes of an error. Where the caller has left or the
// time is over, the handler has made an error of that before Middleware sees it.
func failure(err error) Result {
	return Result{protocol.CodeOf(err), protocol.Public(err).Status()}
}

// stream is a streamed reply. One goroutine reads and closes it.
type stream struct {
	io.ReadCloser
	done func(Result)
	err  error // of the last Read
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	s.err = err
	return n, err
}

func (s *stream) Close() error {
	err := s.ReadCloser.Close()
	if s.done != nil {
		s.done(s.result(err))
		s.done = nil
	}
	return err
}

func (s *stream) result(closed error) Result {
	switch {
	case s.err == nil: // nobody wanted the rest
		return failure(&protocol.Error{Code: protocol.CodeRequestAborted})
	case s.err != io.EOF:
		return failure(s.err)
	case closed != nil:
		return failure(closed)
	}
	return success
}
