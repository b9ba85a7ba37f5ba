package outcome_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/outcome"

	tunnel "github.com/bluelibs/go-tunnel"
)

func TestWatch(t *testing.T) {
	for name, c := range map[string]struct {
		reply *protocol.Reply
		err   error
		want  outcome.Result
	}{
		"a reply":        {reply: &protocol.Reply{}, want: outcome.Result{Code: "OK", Status: 200}},
		"an error":       {err: errors.New("private"), want: outcome.Result{Code: "INTERNAL_ERROR", Status: 500}},
		"a known error":  {err: &protocol.Error{Code: protocol.CodeInvalidInput}, want: outcome.Result{Code: "INVALID_INPUT", Status: 400}},
		"a typed error":  {err: &protocol.Error{ID: "outOfStock", HTTPCode: 409}, want: outcome.Result{Code: "INTERNAL_ERROR", Status: 409}},
		"an odd code":    {err: &protocol.Error{Code: "of\xffa worker"}, want: outcome.Result{Code: "INTERNAL_ERROR", Status: 500}},
		"one for nobody": {err: &protocol.Error{Code: protocol.CodeRequestAborted}, want: outcome.Result{Code: "REQUEST_ABORTED", Status: 499}},
		"neither":        {want: outcome.Result{Code: "INTERNAL_ERROR", Status: 500}},
	} {
		t.Run(name, func(t *testing.T) {
			var results []outcome.Result
			reply, err := outcome.Watch(t.Context(), returns(c.reply, c.err), &protocol.Call{}, func(r outcome.Result) { results = append(results, r) })
			assert.Equal(t, c.reply, reply)
			assert.Equal(t, c.err, err)
			assert.Equal(t, []outcome.Result{c.want}, results)
		})
	}
}

func returns(reply *protocol.Reply, err error) tunnel.Executor {
	return tunnel.ExecutorFunc(func(context.Context, *protocol.Call) (*protocol.Reply, error) { return reply, err })
}

func TestWatchPanics(t *testing.T) {
	var results []outcome.Result
	assert.Panics(t, func() {
		_, _ = outcome.Watch(t.Context(), tunnel.ExecutorFunc(func(context.Context, *protocol.Call) (*protocol.Reply, error) { panic("a bug") }),
			&protocol.Call{}, func(r outcome.Result) { results = append(results, r) })
	})
	assert.Equal(t, []outcome.Result{{Code: "INTERNAL_ERROR", Status: 500}}, results)
}

func TestWatchStreams(t *testing.T) {
	for name, c := range map[string]struct {
		source io.Reader
		closed error
		read   int // bytes at most
		want   protocol.Code
	}{
		"read to its end":    {source: strings.NewReader("abc"), read: 100, want: "OK"},
		"left":               {source: strings.NewReader("abc"), read: 2, want: "REQUEST_ABORTED"},
		"broken off":         {source: iotest.ErrReader(errors.New("disk")), read: 100, want: "INTERNAL_ERROR"},
		"broken at its end":  {source: strings.NewReader("abc"), closed: errors.New("disk"), read: 100, want: "INTERNAL_ERROR"},
		"with a known error": {source: iotest.ErrReader(&protocol.Error{Code: protocol.CodeWorkerCrashed}), read: 100, want: "WORKER_CRASHED"},
	} {
		t.Run(name, func(t *testing.T) {
			var results []outcome.Result
			original := &protocol.Reply{Stream: source{c.source, c.closed}, Status: 202}
			reply, err := outcome.Watch(t.Context(), returns(original, nil), &protocol.Call{}, func(r outcome.Result) { results = append(results, r) })
			require.NoError(t, err)
			assert.Equal(t, 202, reply.Status)
			_, _ = io.Copy(io.Discard, io.LimitReader(reply.Stream, int64(c.read)))
			assert.Empty(t, results, "before it is closed")
			assert.Equal(t, c.closed, reply.Stream.Close())
			_ = reply.Stream.Close()
			require.Len(t, results, 1)
			assert.Equal(t, c.want, results[0].Code)
		})
	}
}

type source struct {
	io.Reader
	closed error
}

func (s source) Close() error { return s.closed }
