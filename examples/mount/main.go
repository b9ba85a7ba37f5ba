// Command mount adds a tunnel to a service that exists already, with its own routes and
// its own middleware: some tasks in Go, the rest in Node.js workers. All that it takes is
// here:
//
//	go run ./examples/mount
//	curl http://127.0.0.1:7070/
//	curl -X POST http://127.0.0.1:7070/__runner/task/app.tasks.add -H 'x-runner-token: secret' -d '{"input": {"a": 5, "b": 3}}'
//	curl -X POST http://127.0.0.1:7070/__runner/task/app.tasks.greet -H 'x-runner-token: secret' -d '{"input": {"name": "Ada"}}'
//	curl http://127.0.0.1:7070/internal/rpc/discovery -H 'authorization: Bearer internal'
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/bluelibs/go-tunnel/examples/internal/serve"
	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

//go:embed tasks.mjs
var tasks []byte

type addInput struct {
	A float64 `json:"a"`
	B float64 `json:"b"`
}

func newHandler(pool *ipc.Pool) http.Handler {
	registry := standalone.NewRegistry()
	standalone.Task(registry, "app.tasks.add", func(_ context.Context, in addInput) (float64, error) {
		return in.A + in.B, nil
	})
	tasks := tunnel.Route(registry, pool) // what the registry has not is the workers'

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "the service as it was")
	})
	mux.Handle("/__runner/", tunnel.New(tasks, tunnel.Config{Tokens: []string{"secret"}}))

	// The same tasks once more for another audience: other path, token and header.
	internal := tunnel.New(tasks, tunnel.Config{BasePath: "/rpc", Tokens: []string{"internal"}, TokenHeader: "authorization"})
	mux.Handle("/internal/", http.StripPrefix("/internal", internal))

	return logRequests(mux)
}

// logRequests stands for the middleware that the service has anyway.
func logRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		recorder := &statusRecorder{w, http.StatusOK}
		next.ServeHTTP(recorder, r)
		slog.Info("request", "method", r.Method, "path", r.URL.Path, "status", recorder.status, "duration", time.Since(start))
	})
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets the tunnel reach what the server's writer can do besides. Without it streams
// are held back until net/http's buffer is full.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func main() {
	addr := flag.String("addr", "127.0.0.1:7070", "`address` to listen on")
	worker := flag.String("worker", "", "module of the tasks in Node.js, a `file` (default: the example's own)")
	flag.Parse()
	if err := run(*addr, *worker); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(addr, worker string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once

	if worker == "" {
		file, remove, err := serve.Module(tasks)
		if err != nil {
			return err
		}
		defer remove()
		worker = file
	}
	pool, err := ipc.Start(ctx, ipc.Node(worker))
	if err != nil {
		return err
	}
	defer pool.Close()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: newHandler(pool), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Printf("Listening on http://%s/__runner\nTry:\n  curl http://%[1]s/__runner/discovery -H 'x-runner-token: secret'\n", listener.Addr())

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	// Requests end before their workers do.
	bound, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	err = server.Shutdown(bound)
	<-served
	return errors.Join(err, pool.Shutdown(context.Background()))
}
