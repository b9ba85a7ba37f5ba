// Package tracing makes an OpenTelemetry span of each call, in the trace that the caller has begun
// and the worker continues.
//
//	tunnel.New(pool, tunnel.Config{Middleware: []tunnel.Middleware{tracing.Middleware(provider, propagation.TraceContext{})}})
//
// A Node.js handler has the span in context.headers.traceparent.
package tracing

import (
	"context"
	"maps"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/outcome"

	tunnel "github.com/bluelibs/go-tunnel"
)

const scope = "github.com/bluelibs/go-tunnel/protocol/tracing"

// Middleware returns a tunnel.Middleware that makes each call that reaches the executor a server
// span, named by kind and id. The span ends with the reply, or when a streamed reply is closed.
// Its parent comes from the call's headers, by the propagator. The executor finds the span in
// these headers and in its context. Only authenticated callers get spans, but they may choose
// trace ids, and with the sampled flag what a parent-based sampler keeps.
//
// Spans have the request id, the code and the status; 5xx is an error. They have no texts of
// errors, tokens or payloads.
func Middleware(provider trace.TracerProvider, propagator propagation.TextMapPropagator) tunnel.Middleware {
	tracer := provider.Tracer(scope)
	return func(next tunnel.Executor) tunnel.Executor {
		return tunnel.ExecutorFunc(func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
			ctx = propagator.Extract(ctx, propagation.HeaderCarrier(call.Header))
			ctx, span := tracer.Start(ctx, call.Kind.String()+" "+call.ID, trace.WithSpanKind(trace.SpanKindServer),
				trace.WithAttributes(
					attribute.String("tunnel.kind", call.Kind.String()),
					attribute.String("tunnel.id", call.ID),
					attribute.String("tunnel.request_id", call.RequestID),
				))
			passed := *call
			passed.Header = inject(ctx, propagator, call.Header)
			return outcome.Watch(ctx, next, &passed, func(result outcome.Result) {
				span.SetAttributes(attribute.String("tunnel.code", string(result.Code)), attribute.Int("tunnel.status", result.Status))
				if result.Status >= http.StatusInternalServerError {
					span.SetStatus(codes.Error, string(result.Code))
				}
				span.End()
			})
		})
	}
}

// inject returns a copy of header with the context's span instead of the caller's.
func inject(ctx context.Context, propagator propagation.TextMapPropagator, header http.Header) http.Header {
	header = maps.Clone(header) // its values are replaced, not changed
	if header == nil {
		header = http.Header{}
	}
	for _, field := range propagator.Fields() {
		header.Del(field)
	}
	propagator.Inject(ctx, propagation.HeaderCarrier(header))
	return header
}
