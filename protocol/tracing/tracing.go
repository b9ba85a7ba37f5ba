// Package tracing makes calls spans of OpenTelemetry, in the trace that the caller
// began and the worker goes on with.
//
//	tunnel.New(pool, tunnel.Config{Middleware: []tunnel.Middleware{tracing.Middleware(provider, propagation.TraceContext{})}})
//
// A Node.js handler finds the span as context.headers.traceparent.
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

// Middleware returns a tunnel.Middleware that makes each call that reaches the executor
// a server span, named by kind and id. It lasts until the reply is there, or for a
// streamed one until its stream is closed. Its parent is what the propagator finds in
// the call's headers; there the executor finds the span itself, and in its context. Only
// callers that were let in get there, but those may choose trace ids, and by the flag
// what a parent-based sampler keeps.
//
// Spans have the request id, the code and the status; 5xx is an error. Texts of errors, tokens and
// payloads are not in them.
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

// inject returns a copy of header with the context's span in the place of the caller's.
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
