// Command mount adds a tunnel to a service that exists already, with its own routes
// and its own middleware:
//
//	go run ./examples/mount
//	curl http://127.0.0.1:7070/
//	curl -X POST http://127.0.0.1:7070/__runner/task/app.tasks.add -H 'x-runner-token: secret' -d '{"input": {"a": 5, "b": 3}}'
//	curl http://127.0.0.1:7070/internal/rpc/discovery -H 'authorization: Bearer internal'
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/bluelibs/go-tunnel/examples/internal/serve"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

type addInput struct {
	A float64 `json:"a"`
	B float64 `json:"b"`
}

func newHandler(public tunnel.Config) http.Handler {
	registry := standalone.NewRegistry()
	standalone.Task(registry, "app.tasks.add", func(_ context.Context, in addInput) (float64, error) {
		return in.A + in.B, nil
	})

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "the service as it was")
	})
	mux.Handle("/__runner/", tunnel.New(registry, public))

	// The same tasks once more for another audience: other path, token and header.
	internal := tunnel.New(registry, tunnel.Config{BasePath: "/rpc", Tokens: []string{"internal"}, TokenHeader: "authorization"})
	mux.Handle("/internal/", http.StripPrefix("/internal", internal))

	return logRequests(mux)
}

// logRequests stands for the middleware that the service has anyway.
func logRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		next.ServeHTTP(w, r)
		slog.Info("request", "method", r.Method, "path", r.URL.Path, "duration", time.Since(start))
	})
}

func main() {
	addr := flag.String("addr", "127.0.0.1:7070", "`address` to listen on")
	flag.Parse()
	flags := &serve.Flags{Addr: *addr, BasePath: "/__runner", Token: "secret", Header: "x-runner-token", Try: serve.TryAdd}
	public := tunnel.Config{Tokens: []string{flags.Token}}
	if err := flags.Run(serve.Context(), newHandler(public)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
