package tracing_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/tracing"

	tunnel "github.com/bluelibs/go-tunnel"
)

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// execute runs a call with a header through the middleware, and returns the header that
// the executor saw, and the span.
func execute(t *testing.T, header http.Header, failure error) (seen http.Header, span sdk.ReadOnlySpan) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans))
	var within trace.SpanContext
	exec := tracing.Middleware(provider, propagation.TraceContext{})(tunnel.ExecutorFunc(
		func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
			seen, within = call.Header, trace.SpanContextFromContext(ctx)
			return &protocol.Reply{Value: call.Payload}, failure
		}))
	_, err := exec.Execute(t.Context(), &protocol.Call{ID: "app.tasks.add", RequestID: "my-id", Header: header, Payload: []byte("1")})
	require.Equal(t, failure, err)
	require.Len(t, spans.Ended(), 1)
	span = spans.Ended()[0]
	assert.Equal(t, span.SpanContext(), within)
	return seen, span
}

func TestSpans(t *testing.T) {
	for name, c := range map[string]struct {
		failure error
		code    string
		status  codes.Code
	}{
		"a success":   {nil, "OK", codes.Unset},
		"their fault": {&protocol.Error{Code: protocol.CodeInvalidInput}, "INVALID_INPUT", codes.Unset},
		"a typed one": {&protocol.Error{HTTPCode: 409}, "INTERNAL_ERROR", codes.Unset},
		"our fault":   {&protocol.Error{Code: protocol.CodeWorkerCrashed}, "WORKER_CRASHED", codes.Error},
	} {
		t.Run(name, func(t *testing.T) {
			_, span := execute(t, nil, c.failure)
			assert.Equal(t, "task app.tasks.add", span.Name())
			assert.Equal(t, trace.SpanKindServer, span.SpanKind())
			assert.Equal(t, c.status, span.Status().Code)
			assert.Contains(t, span.Attributes(), attribute.String("tunnel.code", c.code))
			assert.Contains(t, span.Attributes(), attribute.String("tunnel.request_id", "my-id"))
			assert.False(t, span.Parent().IsValid())
		})
	}
}

func TestTraceGoesOn(t *testing.T) {
	header := http.Header{"Traceparent": {parent}, "Tracestate": {"vendor=1"}, "X-Other": {"kept"}}
	seen, span := execute(t, header, nil)
	assert.Equal(t, "0af7651916cd43dd8448eb211c80319c", span.SpanContext().TraceID().String())
	assert.Equal(t, "b7ad6b7169203331", span.Parent().SpanID().String())
	assert.True(t, span.Parent().IsRemote())
	assert.Equal(t, []string{"00-0af7651916cd43dd8448eb211c80319c-" + span.SpanContext().SpanID().String() + "-01"}, seen["Traceparent"])
	assert.Equal(t, "vendor=1", seen.Get("tracestate"))
	assert.Equal(t, "kept", seen.Get("X-Other"))
	assert.Equal(t, parent, header.Get("traceparent"), "the caller's is left alone")
}

func TestBadTraceContextIsReplaced(t *testing.T) {
	for _, bad := range []string{"", "x", parent[:50], "00-00000000000000000000000000000000-b7ad6b7169203331-01", "ff" + parent[2:]} {
		seen, span := execute(t, http.Header{"Traceparent": {bad}, "Tracestate": {"vendor=1"}}, nil)
		assert.False(t, span.Parent().IsValid(), bad)
		assert.Contains(t, seen.Get("traceparent"), span.SpanContext().SpanID().String())
		assert.Empty(t, seen["Tracestate"], bad)
	}
}

// Who has tracing off does not cut a trace in two.
func TestNoProviderPassesTheTraceOn(t *testing.T) {
	var seen http.Header
	exec := tracing.Middleware(noop.NewTracerProvider(), propagation.TraceContext{})(tunnel.ExecutorFunc(
		func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
			seen = call.Header
			return &protocol.Reply{}, nil
		}))
	_, err := exec.Execute(t.Context(), &protocol.Call{Header: http.Header{"Traceparent": {parent}}})
	require.NoError(t, err)
	assert.Equal(t, parent, seen.Get("traceparent"))
}
