package tunnel_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

// post calls a path on a server with the test's token, and returns status and body.
func post(t testing.TB, url, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("x-runner-token", "secret")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(text)
}

func requireAdds(t testing.TB, base string) {
	t.Helper()
	status, body := post(t, base+"/task/app.tasks.add", testapp.AddBody)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, testapp.AddAnswer, body)
}

func TestMounting(t *testing.T) {
	config := tunnel.Config{Tokens: []string{"secret"}, AllowList: testapp.AllowList, Logger: testapp.Quiet}
	at := func(base string) http.Handler {
		cfg := config
		cfg.BasePath = base
		return tunnel.New(testapp.GoApp(), cfg)
	}
	other := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "other") })
	mux := http.NewServeMux()
	mux.Handle("/", other)
	mux.Handle("/__runner/", at(""))
	mux.Handle("/api/v1/", at("api/v1/"))
	mux.Handle("/stripped/", http.StripPrefix("/stripped", at("/inner")))
	mux.Handle("/root/", http.StripPrefix("/root", at("/")))
	mux.Handle("/wrapped/", http.TimeoutHandler(at("/wrapped"), 1<<40, ""))
	mux.Handle("/a%20b/", at("/a b/é"))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	for _, base := range []string{"/__runner", "/api/v1", "/stripped/inner", "/root", "/wrapped", "/a%20b/%C3%A9"} {
		t.Run(base, func(t *testing.T) {
			requireAdds(t, server.URL+base)
			status, body := post(t, server.URL+base+"/task/"+url.PathEscape("app/tasks/odd id%"), "")
			assert.Equal(t, http.StatusOK, status)
			assert.Equal(t, `{"ok":true,"result":"odd"}`, body)
		})
	}
	_, body := post(t, server.URL+"/elsewhere", "")
	assert.Equal(t, "other", body)
}

func TestAllowListOfTheExecutor(t *testing.T) {
	closed := `{"ok":true,"result":{"allowList":{"enabled":false,"tasks":[],"events":[]}}}`
	registry := standalone.NewRegistry()
	standalone.Task(registry, "a", func(context.Context, any) (string, error) { return "a", nil })
	call := tunnel.ExecutorFunc(registry.Execute) // lists nothing
	passThrough := func(next tunnel.Executor) tunnel.Executor { return tunnel.ExecutorFunc(next.Execute) }
	for name, c := range map[string]struct {
		exec       tunnel.Executor
		cfg        tunnel.Config
		discovered string
		status     int
	}{
		"listed":            {registry, tunnel.Config{}, `{"ok":true,"result":{"allowList":{"enabled":true,"tasks":["a"],"events":[]}}}`, 200},
		"behind middleware": {registry, tunnel.Config{Middleware: []tunnel.Middleware{passThrough}}, `{"ok":true,"result":{"allowList":{"enabled":true,"tasks":["a"],"events":[]}}}`, 200},
		"explicit":          {registry, tunnel.Config{AllowList: protocol.NewAllowList(nil, nil)}, `{"ok":true,"result":{"allowList":{"enabled":true,"tasks":[],"events":[]}}}`, 403},
		"neither":           {call, tunnel.Config{}, closed, 403},
	} {
		t.Run(name, func(t *testing.T) {
			c.cfg.Tokens, c.cfg.Logger = []string{"secret"}, testapp.Quiet
			server := httptest.NewServer(tunnel.New(c.exec, c.cfg))
			t.Cleanup(server.Close)
			_, body := post(t, server.URL+"/__runner/discovery", "")
			assert.Equal(t, c.discovered, body)
			status, _ := post(t, server.URL+"/__runner/task/a", "")
			assert.Equal(t, c.status, status)
		})
	}
}

func TestAuthenticate(t *testing.T) {
	type user struct{ name string }
	identities := make(chan any, 1)
	exec := tunnel.ExecutorFunc(func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		identities <- call.Identity
		return &protocol.Reply{}, nil
	})
	base := testapp.Serve(t, exec, tunnel.Config{
		Tokens: []string{"secret"},
		Authenticate: func(r *http.Request) (any, error) {
			switch r.Header.Get("authorization") {
			case "good":
				return user{"ann"}, nil
			case "banned":
				return nil, &protocol.Error{Code: protocol.CodeForbidden, Message: "Banned"}
			case "panic":
				panic("a bug")
			}
			return nil, errors.New("no such session in table sessions")
		},
	})
	for _, c := range []struct {
		token, authorization string
		status               int
		answer               string
		identity             any
	}{
		{"secret", "", 200, "", nil},
		{"secret", "banned", 200, "", nil}, // a token is enough
		{"", "good", 200, "", user{"ann"}},
		{"", "banned", 403, `{"ok":false,"error":{"message":"Banned","code":"FORBIDDEN"}}`, nil},
		{"", "unknown", 401, `{"ok":false,"error":{"message":"Unauthorized","code":"UNAUTHORIZED"}}`, nil},
		{"", "panic", 500, `{"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}`, nil},
	} {
		status, body := post(t, base+"/__runner/task/app.tasks.add", "", "x-runner-token", c.token, "authorization", c.authorization)
		assert.Equal(t, c.status, status, c)
		if status == http.StatusOK {
			assert.Equal(t, c.identity, <-identities, c)
		} else {
			assert.Equal(t, c.answer, body, c)
		}
	}
}

// Authenticate sees the request id that the answer has, whatever the caller has sent.
func TestAuthenticateSeesTheRequestID(t *testing.T) {
	var seen string
	handler := tunnel.New(testapp.GoApp(), tunnel.Config{
		Authenticate: func(r *http.Request) (any, error) {
			seen = r.Header.Get(protocol.HeaderRequestID)
			return nil, nil
		},
		AllowList: testapp.AllowList, Logger: testapp.Quiet,
	})
	for _, sent := range []string{"", "mine", "not one"} {
		w := testapp.Send(t, handler, "/task/app.tasks.requestId", "", protocol.HeaderRequestID, sent)
		answered := w.Header().Get(protocol.HeaderRequestID)
		assert.NotEmpty(t, answered)
		assert.Equal(t, sent == "mine", answered == sent)
		assert.Equal(t, answered, seen)
		assert.Equal(t, `{"ok":true,"result":"`+answered+`"}`, w.Body.String())
	}
}

func TestMiddlewareWrapsInOrder(t *testing.T) {
	var order []string
	named := func(name string) tunnel.Middleware {
		return func(next tunnel.Executor) tunnel.Executor {
			return tunnel.ExecutorFunc(func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
				order = append(order, name)
				return next.Execute(ctx, call)
			})
		}
	}
	base := testapp.Serve(t, testapp.GoApp(), tunnel.Config{Middleware: []tunnel.Middleware{named("first"), named("second")}})
	requireAdds(t, base+"/__runner")
	assert.Equal(t, []string{"first", "second"}, order)
}

func TestFailuresAreLoggedAndNotTold(t *testing.T) {
	var mu sync.Mutex
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return log.Write(p)
	}), &slog.HandlerOptions{Level: slog.LevelDebug}))
	registry := testapp.GoApp()
	registry.HandleTask("panics", func(context.Context, *protocol.Call) (*protocol.Reply, error) { panic("a bug with a secret") })
	registry.HandleTask("nothing at all", func(context.Context, *protocol.Call) (*protocol.Reply, error) { return nil, nil })
	registry.HandleTask("bad data", func(context.Context, *protocol.Call) (*protocol.Reply, error) {
		return nil, &protocol.Error{ID: "x", Data: func() {}}
	})
	base := testapp.Serve(t, registry, tunnel.Config{Logger: logger, AllowList: registry.List()})

	for path, c := range map[string]struct {
		status int
		logged string
	}{
		"task/app.tasks.fail":     {500, "secret detail of the database"},
		"task/panics":             {500, "a bug with a secret"},
		"task/nothing%20at%20all": {500, "neither a reply nor an error"},
		"task/bad%20data":         {500, "answer not sent as it should be"},
		"event/app.events.fail":   {500, "secret detail of the database"},
		"task/unknown":            {403, "level=WARN"},
		"nowhere":                 {404, "level=DEBUG"},
	} {
		mu.Lock()
		log.Reset()
		mu.Unlock()
		status, body := post(t, base+"/__runner/"+path, "", "x-runner-request-id", "my-id")
		assert.Equal(t, c.status, status, path)
		if status == 500 {
			assert.Equal(t, `{"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}`, body, path)
		}
		logged := func() string {
			mu.Lock()
			defer mu.Unlock()
			return log.String()
		}
		// The answer may be here before the line that says that it could not be encoded.
		assert.Eventually(t, func() bool { return strings.Contains(logged(), c.logged) }, 10*time.Second, time.Millisecond, path)
		assert.Contains(t, logged(), "requestId=my-id", path)
		assert.NotContains(t, logged(), "token", path)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestCallerThatLeavesCancelsTheTask(t *testing.T) {
	started, cancelled := make(chan struct{}), make(chan error, 1)
	base := testapp.Serve(t, tunnel.ExecutorFunc(func(ctx context.Context, _ *protocol.Call) (*protocol.Reply, error) {
		close(started)
		<-ctx.Done()
		cancelled <- ctx.Err()
		return nil, ctx.Err()
	}), tunnel.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/__runner/task/app.tasks.add", strings.NewReader(testapp.AddBody))
	require.NoError(t, err)
	req.Header.Set("x-runner-token", "secret")
	go func() {
		<-started
		cancel()
	}()
	_, err = http.DefaultClient.Do(req)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, <-cancelled, context.Canceled)
}

func TestOutcomeOfAnEndedContext(t *testing.T) {
	deadline := func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, 0) }
	for name, c := range map[string]struct {
		end    func(context.Context) (context.Context, context.CancelFunc)
		err    func(context.Context) error
		status int
	}{
		"caller left":              {context.WithCancel, func(ctx context.Context) error { return ctx.Err() }, 499},
		"caller left, other error": {context.WithCancel, func(context.Context) error { return testapp.ErrSecret }, 499},
		"deadline":                 {deadline, func(ctx context.Context) error { return fmt.Errorf("query: %w", ctx.Err()) }, 504},
		"deadline, other error":    {deadline, func(context.Context) error { return testapp.ErrQuota }, 500},
	} {
		t.Run(name, func(t *testing.T) {
			var cancel context.CancelFunc
			exec := tunnel.ExecutorFunc(func(ctx context.Context, _ *protocol.Call) (*protocol.Reply, error) {
				cancel()
				<-ctx.Done()
				return nil, c.err(ctx)
			})
			handler := tunnel.New(exec, tunnel.Config{AllowAnonymous: true, AllowList: testapp.AllowList, Logger: testapp.Quiet})
			ctx, stop := c.end(t.Context())
			cancel = stop
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/__runner/task/app.tasks.add", strings.NewReader(testapp.AddBody)))
			assert.Equal(t, c.status, w.Code)
		})
	}
}

// A caller that leaves in the middle of its body, or says less than it announced.
func TestCutBody(t *testing.T) {
	for name, handler := range testapp.Executors {
		t.Run(name, func(t *testing.T) {
			base := testapp.Serve(t, handler(t), tunnel.Config{})
			address := strings.TrimPrefix(base, "http://")
			for range 20 {
				conn, err := net.Dial("tcp", address)
				require.NoError(t, err)
				fmt.Fprintf(conn, "POST /__runner/task/app.tasks.echo HTTP/1.1\r\nHost: x\r\nx-runner-token: secret\r\nContent-Length: 100\r\n\r\n{\"input\":")
				require.NoError(t, conn.Close())
			}
			conn, err := net.Dial("tcp", address)
			require.NoError(t, err)
			defer conn.Close()
			fmt.Fprintf(conn, "POST /__runner/task/app.tasks.echo HTTP/1.1\r\nHost: x\r\nx-runner-token: secret\r\nContent-Length: 100\r\n\r\n{\"input\":1}")
			require.NoError(t, conn.(*net.TCPConn).CloseWrite())
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			defer res.Body.Close()
			assert.Equal(t, protocol.StatusClientClosedRequest, res.StatusCode)
			requireAdds(t, base+"/__runner")
		})
	}
}

func TestStreamedReply(t *testing.T) {
	streams := make(chan io.ReadCloser, 1)
	base := testapp.Serve(t, tunnel.ExecutorFunc(func(context.Context, *protocol.Call) (*protocol.Reply, error) {
		return &protocol.Reply{
			Stream: <-streams, Status: 201, ContentType: "text/plain",
			StreamHeader: http.Header{"X-Mine": {"1"}, "Set-Cookie": {"a=b"}, "x-runner-request-id": {"forged"}},
		}, nil
	}), tunnel.Config{})
	read := func(source io.Reader, closeErr error) (*http.Response, string, error) {
		closer := &closeRecorder{Reader: source, err: closeErr}
		streams <- closer
		req, err := http.NewRequest(http.MethodPost, base+"/__runner/task/app.tasks.echo", nil)
		require.NoError(t, err)
		req.Header.Set("x-runner-token", "secret")
		req.Header.Set("x-runner-request-id", "mine")
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		assert.Eventually(t, closer.closed.Load, 10*time.Second, time.Millisecond)
		return res, string(body), err
	}

	res, body, err := read(strings.NewReader("streamed"), nil)
	require.NoError(t, err)
	assert.Equal(t, "streamed", body)
	assert.Equal(t, 201, res.StatusCode)
	assert.Equal(t, "text/plain", res.Header.Get("content-type"))
	assert.Equal(t, "1", res.Header.Get("x-mine"))
	assert.Equal(t, "mine", res.Header.Get("x-runner-request-id"))
	assert.Empty(t, res.Header.Get("set-cookie"))

	res, body, err = read(iotest.ErrReader(testapp.ErrSecret), nil) // fails before the first byte
	require.NoError(t, err)
	assert.Equal(t, 500, res.StatusCode)
	assert.Equal(t, `{"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}`, body)

	for name, c := range map[string]struct {
		rest     io.Reader
		closeErr error
	}{
		"error": {iotest.ErrReader(testapp.ErrSecret), nil},
		"panic": {testapp.ReaderFunc(func([]byte) (int, error) { panic("a bug") }), nil},
		"stuck": {testapp.ReaderFunc(func([]byte) (int, error) { return 0, nil }), nil},
		"close": {strings.NewReader(" and more"), testapp.ErrSecret},
	} {
		_, body, err = read(io.MultiReader(strings.NewReader("half"), c.rest), c.closeErr)
		assert.Error(t, err, "%s: a cut body must not pass for a whole one", name)
		assert.True(t, strings.HasPrefix("half and more", body), name)
	}
}

// What is refused without its body is refused without waiting for that.
func TestRefusalDoesNotWaitForTheBody(t *testing.T) {
	base := testapp.Serve(t, testapp.GoApp(), tunnel.Config{Limits: protocol.Limits{MaxBody: 10}})
	const head = "POST %s HTTP/1.1\r\nHost: x\r\nx-runner-token: %s\r\n%s\r\n\r\n"
	for want, request := range map[int]string{
		401: fmt.Sprintf(head, "/__runner/task/app.tasks.add", "wrong", "Content-Length: 1000"),
		403: fmt.Sprintf(head, "/__runner/task/other", "secret", "Content-Length: 1000"),
		404: fmt.Sprintf(head, "/elsewhere", "secret", "Content-Length: 1000"),
		405: strings.Replace(fmt.Sprintf(head, "/__runner/discovery", "secret", "Content-Length: 1000"), "POST", "PUT", 1),
		413: fmt.Sprintf(head, "/__runner/task/app.tasks.add", "secret", "Content-Length: 1000"),
		415: fmt.Sprintf(head, "/__runner/task/app.tasks.add", "secret", "Content-Encoding: br\r\nContent-Length: 10"),
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
		require.NoError(t, err)
		_, err = io.WriteString(conn, request)
		require.NoError(t, err)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil) // would wait for ever
		require.NoError(t, err)
		assert.Equal(t, want, res.StatusCode)
		require.NoError(t, res.Body.Close())
		require.NoError(t, conn.Close())
	}
}

type closeRecorder struct {
	io.Reader
	err    error
	closed atomic.Bool
}

func (c *closeRecorder) Close() error {
	c.closed.Store(true)
	return c.err
}

func TestNewNeedsAnExecutor(t *testing.T) {
	assert.Panics(t, func() { tunnel.New(nil, tunnel.Config{}) })
}

// A large body leaves no large buffer behind for the calls after it.
func TestLargeBodiesAreNotKept(t *testing.T) {
	room := 0
	handler := tunnel.New(tunnel.ExecutorFunc(func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		room = cap(call.Payload)
		return &protocol.Reply{}, nil
	}), tunnel.Config{Tokens: []string{"secret"}, AllowList: testapp.AllowList, Logger: testapp.Quiet})
	for range 20 {
		require.Equal(t, http.StatusOK, testapp.Send(t, handler, "/task/app.tasks.echo", `"`+strings.Repeat("x", 1<<20)+`"`).Code)
		require.Greater(t, room, 1<<20)
		require.Equal(t, http.StatusOK, testapp.Send(t, handler, "/task/app.tasks.echo", `"x"`).Code)
		require.LessOrEqual(t, room, 64<<10)
	}
}
