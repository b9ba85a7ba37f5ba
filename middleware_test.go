package tunnel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

// watch is the middleware of metrics: a gauge, and a label.
type watch struct {
	running int
	codes   []protocol.Code
}

func (m *watch) around(next tunnel.Executor) tunnel.Executor {
	return tunnel.ExecutorFunc(func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
		m.running++
		reply, err := next.Execute(ctx, call)
		m.running--
		m.codes = append(m.codes, protocol.CodeOf(err))
		if err == nil && reply.Stream != nil {
			watched := *reply
			watched.Stream = struct {
				io.Reader
				io.Closer
			}{testapp.ReaderFunc(func(p []byte) (int, error) {
				n, err := reply.Stream.Read(p)
				if err != nil && err != io.EOF {
					m.codes = append(m.codes, protocol.CodeOf(err))
				}
				return n, err
			}), reply.Stream}
			return &watched, nil
		}
		return reply, err
	})
}

const echoTask = "/__runner/task/app.tasks.echo"

func nothing(context.Context, *protocol.Call) (*protocol.Reply, error) { return &protocol.Reply{}, nil }

// Every Middleware sees how a call ends, with the code that the wire has.
func TestMiddlewareSeesEveryOutcome(t *testing.T) {
	const form = "multipart/form-data; boundary=b"
	manifest := "--b\r\nContent-Disposition: form-data; name=\"__manifest\"\r\n\r\n" + `{"input":{"$runnerFile":"File","id":"a"}}` + "\r\n--b"
	failing := func(err error) tunnel.ExecutorFunc {
		return func(context.Context, *protocol.Call) (*protocol.Reply, error) { return nil, err }
	}
	streaming := func(source io.Reader) tunnel.ExecutorFunc {
		return func(context.Context, *protocol.Call) (*protocol.Reply, error) {
			return &protocol.Reply{Stream: io.NopCloser(source)}, nil
		}
	}
	var none *protocol.Error
	for name, c := range map[string]struct {
		exec        tunnel.ExecutorFunc
		contentType string
		body        string
		left        bool
		want        []protocol.Code
		status      int // 0 for an answer that is cut
	}{
		"a success":       {exec: nothing, want: []protocol.Code{""}, status: 200},
		"a typed error":   {exec: failing(&protocol.Error{Code: protocol.CodeNotFound}), want: []protocol.Code{protocol.CodeNotFound}, status: 404},
		"a private error": {exec: failing(testapp.ErrSecret), want: []protocol.Code{protocol.CodeInternal}, status: 500},
		"an unknown code": {exec: failing(&protocol.Error{Code: "TEAPOT"}), want: []protocol.Code{protocol.CodeInternal}, status: 500},
		"an error nil":    {exec: failing(none), want: []protocol.Code{protocol.CodeInternal}, status: 500},
		"neither":         {exec: failing(nil), want: []protocol.Code{protocol.CodeInternal}, status: 500},
		"a panic":         {exec: func(context.Context, *protocol.Call) (*protocol.Reply, error) { panic("a bug") }, want: []protocol.Code{protocol.CodeInternal}, status: 500},
		"a panic of *Error": {exec: func(context.Context, *protocol.Call) (*protocol.Reply, error) {
			panic(&protocol.Error{Code: protocol.CodeNotFound})
		}, want: []protocol.Code{protocol.CodeInternal}, status: 500},
		"a panic to abort":   {exec: func(context.Context, *protocol.Call) (*protocol.Reply, error) { panic(http.ErrAbortHandler) }, want: []protocol.Code{protocol.CodeInternal}},
		"a caller that left": {exec: failing(testapp.ErrSecret), left: true, want: []protocol.Code{protocol.CodeRequestAborted}, status: 499},
		"a broken form":      {exec: nothing, contentType: form, body: manifest + "--\r\n", want: []protocol.Code{protocol.CodeMissingFilePart}, status: 500},
		"a broken body": {exec: func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
			_, err := io.Copy(io.Discard, call.Body)
			return nil, fmt.Errorf("in my own words: %v", err)
		}, contentType: "application/octet-stream", body: "longer than the limit", want: []protocol.Code{protocol.CodePayloadTooLarge}, status: 413},
		"a stream":              {exec: streaming(strings.NewReader("whole")), want: []protocol.Code{""}, status: 200},
		"a stream that fails":   {exec: streaming(iotest.ErrReader(testapp.ErrSecret)), want: []protocol.Code{"", protocol.CodeInternal}, status: 500},
		"a stream that panics":  {exec: streaming(testapp.ReaderFunc(func([]byte) (int, error) { panic("a bug") })), want: []protocol.Code{"", protocol.CodeInternal}, status: 500},
		"a stream that is left": {exec: streaming(iotest.ErrReader(testapp.ErrSecret)), left: true, want: []protocol.Code{"", protocol.CodeRequestAborted}, status: 499},
	} {
		t.Run(name, func(t *testing.T) {
			metrics, handler := &watch{}, (*tunnel.Handler)(nil)
			handler = tunnel.New(c.exec, tunnel.Config{
				AllowAnonymous: true, AllowList: testapp.AllowList, Logger: testapp.Quiet,
				Middleware: []tunnel.Middleware{metrics.around}, Limits: protocol.Limits{MaxStream: 10},
			})
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, echoTask, nil)
			if c.body != "" {
				r = httptest.NewRequestWithContext(ctx, http.MethodPost, echoTask, io.NopCloser(strings.NewReader(c.body)))
				r.ContentLength = -1
			}
			r.Header.Set("Content-Type", c.contentType)
			if c.left {
				leave()
			}
			w := httptest.NewRecorder()
			serve := func() { handler.ServeHTTP(w, r) }
			if c.status == 0 {
				assert.PanicsWithValue(t, http.ErrAbortHandler, serve, "nothing else ends an answer of a ResponseRecorder")
			} else {
				serve()
				assert.Equal(t, c.status, w.Code)
			}
			assert.Zero(t, metrics.running)
			assert.Equal(t, c.want, metrics.codes)
		})
	}
}

// A Middleware that cancels its own context is no caller who has left.
func TestMiddlewareThatCancels(t *testing.T) {
	for name, c := range map[string]struct {
		reply *protocol.Reply
		err   error
		want  []protocol.Code
	}{
		"before a failure": {nil, testapp.ErrSecret, []protocol.Code{protocol.CodeInternal}},
		"before a stream":  {&protocol.Reply{Stream: io.NopCloser(iotest.ErrReader(testapp.ErrSecret))}, nil, []protocol.Code{"", protocol.CodeInternal}},
	} {
		metrics := &watch{}
		handler := tunnel.New(tunnel.ExecutorFunc(func(context.Context, *protocol.Call) (*protocol.Reply, error) { return c.reply, c.err }), tunnel.Config{
			AllowAnonymous: true, AllowList: testapp.AllowList, Logger: testapp.Quiet,
			Middleware: []tunnel.Middleware{metrics.around, func(next tunnel.Executor) tunnel.Executor {
				return tunnel.ExecutorFunc(func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
					ctx, cancel := context.WithCancel(ctx)
					cancel()
					return next.Execute(ctx, call)
				})
			}},
		})
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, echoTask, nil))
		assert.Equal(t, http.StatusInternalServerError, w.Code, name)
		assert.Equal(t, c.want, metrics.codes, name)
	}
}

// What Middleware itself does wrong is seen by those around it.
func TestMiddlewareThatFails(t *testing.T) {
	for name, fn := range map[string]tunnel.ExecutorFunc{
		"panics":          func(context.Context, *protocol.Call) (*protocol.Reply, error) { panic("a bug") },
		"returns neither": func(context.Context, *protocol.Call) (*protocol.Reply, error) { return nil, nil },
		"fails":           func(context.Context, *protocol.Call) (*protocol.Reply, error) { return nil, errors.New("a bug") },
	} {
		metrics := &watch{}
		handler := tunnel.New(tunnel.ExecutorFunc(nothing), tunnel.Config{
			AllowAnonymous: true, AllowList: testapp.AllowList, Logger: testapp.Quiet,
			Middleware: []tunnel.Middleware{metrics.around, func(tunnel.Executor) tunnel.Executor { return fn }},
		})
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, echoTask, nil))
		require.Equal(t, http.StatusInternalServerError, w.Code, name)
		assert.Equal(t, `{"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}`, w.Body.String(), name)
		assert.Zero(t, metrics.running, name)
		assert.Equal(t, []protocol.Code{protocol.CodeInternal}, metrics.codes, name)
	}
}

// The stream of a reply that cannot be used is closed, and its Close may do what it likes.
func TestStreamsOfNoUse(t *testing.T) {
	closed := 0
	streaming := func(context.Context, *protocol.Call) (*protocol.Reply, error) {
		return &protocol.Reply{Stream: struct {
			io.Reader
			closerFunc
		}{strings.NewReader("unread"), func() error { closed++; panic("a bug") }}}, nil
	}
	var closing error
	config := tunnel.Config{AllowAnonymous: true, AllowList: testapp.AllowList, Logger: testapp.Quiet, Middleware: []tunnel.Middleware{
		tunnel.CheckReply(func(_ context.Context, _ *protocol.Call, reply *protocol.Reply) error {
			closing = reply.Stream.Close()
			return testapp.ErrSecret
		}),
	}}
	w := httptest.NewRecorder()
	tunnel.New(tunnel.ExecutorFunc(streaming), config).ServeHTTP(w, httptest.NewRequest(http.MethodPost, echoTask, nil))
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	assert.Equal(t, protocol.CodeInternal, protocol.CodeOf(closing))
	assert.ErrorContains(t, closing, "panic: a bug")

	// The form names a file that does not come.
	r := httptest.NewRequest(http.MethodPost, echoTask, strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"__manifest\"\r\n\r\n"+
		`{"input":{"$runnerFile":"File","id":"a"}}`+"\r\n--b--\r\n"))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	closed, config.Middleware, w = 0, nil, httptest.NewRecorder()
	tunnel.New(tunnel.ExecutorFunc(streaming), config).ServeHTTP(w, r)
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	assert.Equal(t, 1, closed)
}

type closerFunc func() error

func (f closerFunc) Close() error { return f() }
