package tunnel_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

// call posts to a server as any client of the protocol does.
func call(server *httptest.Server, path, body string) {
	req, _ := http.NewRequest(http.MethodPost, server.URL+path, strings.NewReader(body))
	req.Header.Set("x-runner-token", "secret")
	res, err := server.Client().Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	fmt.Println(res.StatusCode, string(text))
}

func ExampleNew() {
	type AddInput struct {
		A int `json:"a"`
		B int `json:"b"`
	}
	tasks := standalone.NewRegistry()
	standalone.Task(tasks, "app.tasks.add", func(_ context.Context, in AddInput) (int, error) {
		return in.A + in.B, nil
	})

	server := httptest.NewServer(tunnel.New(tasks, tunnel.Config{Tokens: []string{"secret"}}))
	defer server.Close()
	call(server, "/__runner/task/app.tasks.add", `{"input": {"a": 5, "b": 3}}`)
	call(server, "/__runner/task/app.tasks.add", `{"input": {"a": "five"}}`)
	// Output:
	// 200 {"ok":true,"result":8}
	// 400 {"ok":false,"error":{"message":"Invalid input: unexpected string at a","code":"INVALID_INPUT"}}
}

// Workers are started before the server listens and shut down after it.
func ExampleNew_workers() {
	ctx := context.Background()
	opts := ipc.Node("examples/ipc/tasks.mjs")
	opts.Workers = 2
	pool, err := ipc.Start(ctx, opts)
	if err != nil {
		fmt.Println("the module does not load, or node is missing:", err)
		return
	}
	defer pool.Shutdown(context.Background()) // after http.Server.Shutdown

	mux := http.NewServeMux() // that the service has already
	mux.Handle("/__runner/", tunnel.New(pool, tunnel.Config{Tokens: []string{"secret"}}))

	server := httptest.NewServer(mux)
	defer server.Close()
	call(server, "/__runner/task/app.tasks.greet", `{"input": {"name": "Ada"}}`)
	// Output: 200 {"ok":true,"result":"Hello, Ada!"}
}

// A Front answers plain calls before net/http sees them, and leaves everything else to it.
func ExampleHandler_Listen() {
	tasks := standalone.NewRegistry()
	standalone.Task(tasks, "app.tasks.double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	handler := tunnel.New(tasks, tunnel.Config{Tokens: []string{"secret"}})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux() // for all that is not plain, and for the service's own routes
	mux.Handle("/__runner/", handler)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}

	front := handler.Listen(ln, server)
	go server.Serve(front)

	req, _ := http.NewRequest(http.MethodPost, "http://"+ln.Addr().String()+"/__runner/task/app.tasks.double", strings.NewReader(`{"input": 21}`))
	req.Header.Set("x-runner-token", "secret")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	fmt.Println(string(answer), front.Stats().Served)

	http.DefaultClient.CloseIdleConnections()
	_ = front.Shutdown(context.Background()) // before that of the server
	_ = server.Shutdown(context.Background())
	// Output: {"ok":true,"result":42} 1
}

// The allow-list says what may be called, in the place of what the workers list: all that
// a Runner application without a tunnel has, say.
func ExampleConfig() {
	ctx := context.Background()
	pool, err := ipc.Start(ctx, ipc.Node("examples/ipc/tasks.mjs"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Shutdown(context.Background())

	config := tunnel.Config{
		Tokens:    []string{"secret"},
		AllowList: protocol.NewAllowList([]string{"app.tasks.greet"}, nil), // ids of tasks, and of events
		CORS:      &protocol.CORS{Origins: []string{"https://shop.example"}, MaxAge: 600 * time.Second},
		Limits:    protocol.Limits{MaxBody: 1 << 20},
	}
	server := httptest.NewServer(tunnel.New(pool, config))
	defer server.Close()
	call(server, "/__runner/task/app.tasks.greet", `{"input": {"name": "Ada"}}`)
	call(server, "/__runner/task/app.tasks.echo", `{"input": 1}`)
	// Output:
	// 200 {"ok":true,"result":"Hello, Ada!"}
	// 403 {"ok":false,"error":{"message":"Task app.tasks.echo not exposed","code":"FORBIDDEN"}}
}

// A task tells its caller what went wrong with a *protocol.Error; the text of any
// other error stays in the log.
func ExampleNew_errors() {
	tasks := standalone.NewRegistry()
	standalone.Task(tasks, "app.tasks.reserve", func(_ context.Context, seats int) (any, error) {
		if seats > 3 {
			return nil, &protocol.Error{
				ID: "app.errors.soldOut", Message: "Only 3 seats are left", Data: map[string]int{"left": 3}, HTTPCode: http.StatusConflict,
			}
		}
		return nil, fmt.Errorf("dial 10.0.0.7: connection refused")
	})

	server := httptest.NewServer(tunnel.New(tasks, tunnel.Config{
		Tokens: []string{"secret"},
		Logger: slog.New(slog.DiscardHandler),
	}))
	defer server.Close()
	call(server, "/__runner/task/app.tasks.reserve", `{"input": 5}`)
	call(server, "/__runner/task/app.tasks.reserve", `{"input": 1}`)
	// Output:
	// 409 {"ok":false,"error":{"message":"Only 3 seats are left","code":"INTERNAL_ERROR","id":"app.errors.soldOut","data":{"left":3},"httpCode":409}}
	// 500 {"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}
}

// Tasks in Go have the time that their caller waits. This is how they get less.
func ExampleMiddleware_timeout() {
	limit := func(next tunnel.Executor) tunnel.Executor {
		return tunnel.ExecutorFunc(func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
			ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel() // not for tasks that stream
			reply, err := next.Execute(ctx, call)
			if err != nil && ctx.Err() == context.DeadlineExceeded {
				err = &protocol.Error{Code: protocol.CodeTaskTimeout, Err: err}
			}
			return reply, err
		})
	}

	tasks := standalone.NewRegistry()
	standalone.Task(tasks, "app.tasks.slow", func(ctx context.Context, _ any) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	server := httptest.NewServer(tunnel.New(tasks, tunnel.Config{
		Tokens:     []string{"secret"},
		Middleware: []tunnel.Middleware{limit},
		Logger:     slog.New(slog.DiscardHandler),
	}))
	defer server.Close()
	call(server, "/__runner/task/app.tasks.slow", "{}")
	// Output: 504 {"ok":false,"error":{"message":"Task timed out","code":"TASK_TIMEOUT"}}
}

// Middleware sees every call that passed authentication, the allow-list and the
// limits.
func ExampleMiddleware() {
	count := func(next tunnel.Executor) tunnel.Executor {
		return tunnel.ExecutorFunc(func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
			reply, err := next.Execute(ctx, call)
			fmt.Println(call.Kind, call.ID, "failed:", err != nil)
			return reply, err
		})
	}
	tasks := standalone.NewRegistry()
	standalone.Task(tasks, "app.tasks.hello", func(context.Context, any) (string, error) { return "hello", nil })

	server := httptest.NewServer(tunnel.New(tasks, tunnel.Config{
		Tokens:     []string{"secret"},
		Middleware: []tunnel.Middleware{count},
		Logger:     slog.New(slog.DiscardHandler),
	}))
	defer server.Close()
	call(server, "/__runner/task/app.tasks.hello", "")
	call(server, "/__runner/task/app.tasks.unknown", "")
	// Output:
	// task app.tasks.hello failed: false
	// 200 {"ok":true,"result":"hello"}
	// 403 {"ok":false,"error":{"message":"Task app.tasks.unknown not exposed","code":"FORBIDDEN"}}
}
