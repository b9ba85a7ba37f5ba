// Command observability serves Node.js tasks with Prometheus metrics and OpenTelemetry
// traces, and a page that shows at http://127.0.0.1:9464/ how they do:
//
//	GOWORK=$PWD/.ci/go.work go run ./examples/observability
//	curl -X POST http://127.0.0.1:7070/__runner/task/app.tasks.wait -H 'x-runner-token: secret' -H 'Content-Type: application/json' -d '{"input": {"ms": 500}}'
//	curl http://127.0.0.1:9464/metrics
//
// With -traces it prints each span. Modules protocol/metrics and protocol/tracing are what
// a server of your own needs of it. Once they are tagged, "go run ." in this folder will do:
// see .github/RELEASING.md.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/bluelibs/go-tunnel/examples/internal/serve"
	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol/metrics"
	"github.com/bluelibs/go-tunnel/protocol/tracing"

	tunnel "github.com/bluelibs/go-tunnel"
)

//go:embed tasks.mjs
var tasks []byte

func main() {
	flags := serve.Register("", "")
	ops := flag.String("ops", "127.0.0.1:9464", "`address` of metrics and dashboard, which ask for no token")
	traces := flag.Bool("traces", false, "print spans on standard output")
	workers := flag.Int("workers", 2, "`number` of worker processes")
	flag.Parse()
	if err := run(flags, *ops, *traces, *workers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(flags *serve.Flags, ops string, traces bool, workers int) (err error) {
	dir, err := os.MkdirTemp("", "go-tunnel-example-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	module := filepath.Join(dir, "tasks.mjs")
	if err := os.WriteFile(module, tasks, 0o600); err != nil {
		return err
	}
	provider, err := newProvider(traces)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", ops)
	if err != nil {
		return err
	}
	defer listener.Close()
	ctx := serve.Context()
	opts := ipc.Node(module)
	opts.Workers = workers
	pool, err := ipc.Start(ctx, opts)
	if err != nil {
		return err
	}
	flags.Ready = pool.Ready
	handler, registry := observed(pool, flags.Config(), provider)
	stop := serveOps(listener, newOps(registry))
	fmt.Printf("Dashboard on http://%s/\n", listener.Addr())
	err = flags.Run(ctx, handler)
	return errors.Join(err, pool.Shutdown(context.Background()), stop(), provider.Shutdown(context.Background()))
}

// newProvider returns where spans come from: even unseen, they continue a caller's trace.
func newProvider(traces bool) (*trace.TracerProvider, error) {
	if !traces {
		return trace.NewTracerProvider(), nil
	}
	exporter, err := stdouttrace.New()
	if err != nil {
		return nil, err
	}
	return trace.NewTracerProvider(trace.WithBatcher(exporter)), nil
}

// observed returns a handler that serves the pool's tasks, and its metrics.
func observed(pool *ipc.Pool, config tunnel.Config, provider *trace.TracerProvider) (http.Handler, *prometheus.Registry) {
	requests := metrics.NewRequests()
	answers := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tunnel_http_answers_total", Help: "HTTP answers, refusals included.",
	}, []string{"code"})
	registry := prometheus.NewRegistry()
	registry.MustRegister(requests, answers, metrics.NewPool(pool.Stats),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	config.Middleware = []tunnel.Middleware{requests.Middleware, tracing.Middleware(provider, propagation.TraceContext{})}
	return promhttp.InstrumentHandlerCounter(answers, tunnel.New(pool, config)), registry
}
