package tracing_test

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/tracing"

	tunnel "github.com/bluelibs/go-tunnel"
)

// Each call gets a span, in the trace of the caller; the executor finds it in the headers.
func ExampleMiddleware() {
	provider := trace.NewTracerProvider()
	traced := tracing.Middleware(provider, propagation.TraceContext{})
	exec := traced(tunnel.ExecutorFunc(func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		fmt.Println(call.Header.Get("traceparent")[:35])
		return &protocol.Reply{}, nil
	}))
	call := &protocol.Call{ID: "app.tasks.add", Header: map[string][]string{
		"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
	}}
	_, _ = exec.Execute(context.Background(), call)
	// Output: 00-0af7651916cd43dd8448eb211c80319c
}
