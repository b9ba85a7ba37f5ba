// Package outcome reports how a call ended, for a tunnel.Middleware that observes calls. The
// modules protocol/metrics and protocol/tracing use it.
package outcome

import (
	"context"
	"io"
	"net/http"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Executor is the same as tunnel.Executor, which this package does not import.
type Executor interface {
	Execute(ctx context.Context, call *protocol.Call) (*protocol.Reply, error)
}

// OK is the code of a call that succeeded.
const OK protocol.Code = "OK"

// Result is how a call ended.
type Result struct {
	Code   protocol.Code // OK, or a code of the protocol
	Status int           // the HTTP status of the answer; 200 for every success
}

// Watch runs a call on next and calls done once at its end, for a streamed reply when the stream
// is closed. If next panics, which no executor below a tunnel.Handler does, the code is
// INTERNAL_ERROR.
func Watch(ctx context.Context, next Executor, call *protocol.Call, done func(Result)) (*protocol.Reply, error) {
	result, streams := Result{protocol.CodeInternal, http.StatusInternalServerError}, false // for a panic
	defer func() {
		if !streams {
			done(result)
		}
	}()
	reply, err := next.Execute(ctx, call)
	switch {
	case err != nil:
		result = failure(err)
	case reply == nil: // an executor must not return this: the handler answers with an error
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

// failure returns the result of an error. If the caller has disconnected or the time is over, the
// handler has replaced the error before Middleware gets it.
func failure(err error) Result {
	return Result{protocol.CodeOf(err), protocol.Public(err).Status()}
}

// stream is a streamed reply. One goroutine reads and closes it.
type stream struct {
	io.ReadCloser
	done func(Result)
	err  error // the error of the last Read
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
	case s.err == nil: // the rest was not read
		return failure(&protocol.Error{Code: protocol.CodeRequestAborted})
	case s.err != io.EOF:
		return failure(s.err)
	case closed != nil:
		return failure(closed)
	}
	return success
}
