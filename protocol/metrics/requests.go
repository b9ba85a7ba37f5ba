// Package metrics has Prometheus collectors for a tunnel: [Requests] counts and times
// calls as a tunnel.Middleware, [NewPool] shows the state of an ipc.Pool.
//
//	requests := metrics.NewRequests()
//	prometheus.MustRegister(requests, metrics.NewPool(pool.Stats))
//	handler := tunnel.New(pool, tunnel.Config{Middleware: []tunnel.Middleware{requests.Middleware}})
package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/outcome"

	tunnel "github.com/bluelibs/go-tunnel"
)

// Requests counts and times the calls that reach an executor, by kind and id:
//
//	tunnel_requests_total{kind,id,code}        ended calls; code is "OK" or a code of the protocol
//	tunnel_request_duration_seconds{kind,id}   a histogram; a call with a streamed reply ends with the stream
//	tunnel_requests_in_flight{kind}
//
// Only calls of ids on the allow-list count, so callers cannot create series. Requests that the
// handler refuses before, because of their token, id or body, do not count: for these wrap the
// handler in promhttp.InstrumentHandlerCounter. NewRequests makes a Requests. It is safe for
// concurrent use.
type Requests struct {
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight *prometheus.GaugeVec
}

// NewRequests returns a collector. Register it, and use its Middleware.
func NewRequests() *Requests {
	return &Requests{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tunnel_requests_total", Help: "Calls that are over.",
		}, []string{"kind", "id", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tunnel_request_duration_seconds", Help: "How long calls took, waiting for a worker included.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"kind", "id"}),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tunnel_requests_in_flight", Help: "Calls that are not over.",
		}, []string{"kind"}),
	}
}

// Middleware is a tunnel.Middleware. If it is the first one, it also times the others.
func (m *Requests) Middleware(next tunnel.Executor) tunnel.Executor {
	return tunnel.ExecutorFunc(func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
		kind, id, begun := call.Kind.String(), call.ID, time.Now()
		inFlight := m.inFlight.WithLabelValues(kind)
		inFlight.Inc()
		return outcome.Watch(ctx, next, call, func(result outcome.Result) {
			inFlight.Dec()
			m.total.WithLabelValues(kind, id, string(result.Code)).Inc()
			m.duration.WithLabelValues(kind, id).Observe(time.Since(begun).Seconds())
		})
	})
}

// Describe is a part of prometheus.Collector.
func (m *Requests) Describe(ch chan<- *prometheus.Desc) {
	m.total.Describe(ch)
	m.duration.Describe(ch)
	m.inFlight.Describe(ch)
}

// Collect is a part of prometheus.Collector.
func (m *Requests) Collect(ch chan<- prometheus.Metric) {
	m.total.Collect(ch)
	m.duration.Collect(ch)
	m.inFlight.Collect(ch)
}
