package metrics_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/metrics"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

func TestRequests(t *testing.T) {
	requests := metrics.NewRequests()
	inFlight := func() {
		assert.NoError(t, testutil.CollectAndCompare(requests, strings.NewReader(`
# HELP tunnel_requests_in_flight Calls that are not over.
# TYPE tunnel_requests_in_flight gauge
tunnel_requests_in_flight{kind="task"} 1
`), "tunnel_requests_in_flight"))
	}
	registry := standalone.NewRegistry()
	standalone.Task(registry, "add", func(_ context.Context, in struct{ A, B int }) (int, error) { inFlight(); return in.A + in.B, nil })
	registry.HandleTask("fail", func(context.Context, *protocol.Call) (*protocol.Reply, error) { panic("a bug") })
	handler := tunnel.New(registry, tunnel.Config{Tokens: []string{"secret"}, Middleware: []tunnel.Middleware{requests.Middleware}})
	post := func(path, token string) int {
		r := httptest.NewRequest(http.MethodPost, "/__runner/"+path, strings.NewReader(`{"input":{"a":1,"b":2}}`))
		r.Header.Set("x-runner-token", token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	require.Equal(t, 200, post("task/add", "secret"))
	require.Equal(t, 200, post("task/add", "secret"))
	require.Equal(t, 500, post("task/fail", "secret"))
	require.Equal(t, 403, post("task/made.up.by.a.caller", "secret"))
	require.Equal(t, 401, post("task/add", "wrong"))
	assert.NoError(t, testutil.CollectAndCompare(requests, strings.NewReader(`
# HELP tunnel_requests_in_flight Calls that are not over.
# TYPE tunnel_requests_in_flight gauge
tunnel_requests_in_flight{kind="task"} 0
# HELP tunnel_requests_total Calls that are over.
# TYPE tunnel_requests_total counter
tunnel_requests_total{code="INTERNAL_ERROR",id="fail",kind="task"} 1
tunnel_requests_total{code="OK",id="add",kind="task"} 2
`), "tunnel_requests_in_flight", "tunnel_requests_total"))
	assert.Equal(t, 2, testutil.CollectAndCount(requests, "tunnel_request_duration_seconds"), "one histogram per id")
	problems, err := testutil.CollectAndLint(requests)
	require.NoError(t, err)
	assert.Empty(t, problems)
}

func TestPool(t *testing.T) {
	stats := ipc.Stats{
		Workers: []ipc.WorkerStats{
			{Slot: 0, State: "ready", InFlight: 2, Memory: 100, Starts: 3, Lag: time.Millisecond},
			{Slot: 0, State: "draining", InFlight: 1, Memory: 50, Starts: 3, Lag: time.Second},
			{Slot: 1, State: "exited", Starts: 1},
		},
		Queued: 4, QueuedBytes: 5, OldestWait: 6 * time.Second, Waits: 7, WaitTime: 8 * time.Second,
		Served: 17, Failed: 18,
		Refused: ipc.Refusals{QueueFull: 9, QueueTimeout: 10, NoWorker: 11, Closed: 12},
		Exits:   map[ipc.ExitReason]uint64{ipc.ExitCrash: 13},
		Retries: 14, Cancels: 15, Timeouts: 16,
	}
	collector := metrics.NewPool(func() ipc.Stats { return stats })
	problems, err := testutil.CollectAndLint(collector)
	require.NoError(t, err)
	assert.Empty(t, problems)

	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(collector))
	families, err := registry.Gather()
	require.NoError(t, err)
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.Metric {
			name := strings.TrimPrefix(family.GetName(), "tunnel_pool_")
			for _, label := range m.Label {
				name += " " + label.GetValue()
			}
			switch {
			case m.Summary != nil:
				got[name+" sum"], got[name+" count"] = m.Summary.GetSampleSum(), float64(m.Summary.GetSampleCount())
			case m.Counter != nil:
				got[name] = m.Counter.GetValue()
			default:
				got[name] = m.Gauge.GetValue()
			}
		}
	}
	for name, want := range map[string]float64{
		"workers 0 ready": 1, "workers 0 draining": 1, "workers 0 exited": 0, "workers 1 exited": 1,
		"worker_calls 0": 3, "worker_calls 1": 0, "worker_memory_bytes 0": 150, "worker_lag_seconds 0": 1,
		"worker_starts_total 0": 3, "worker_starts_total 1": 1,
		"worker_exits_total crash": 13, "worker_exits_total memory": 0,
		"queue_calls": 4, "queue_bytes": 5, "queue_oldest_wait_seconds": 6, "queue_wait_seconds count": 7, "queue_wait_seconds sum": 8,
		"served_total": 17, "failed_total": 18, "refused_total full": 9, "refused_total late": 10, "refused_total down": 11, "refused_total closed": 12,
		"replays_total": 14, "cancels_total": 15, "timeouts_total": 16,
	} {
		value, there := got[name]
		assert.True(t, there, name)
		assert.Equal(t, want, value, name)
	}
}

// What scales a Deployment is there, whichever of the two examples serves it.
func TestScalingMetric(t *testing.T) {
	manifest, err := os.ReadFile("../../examples/deploy/kubernetes.yaml")
	require.NoError(t, err)
	series := regexp.MustCompile(`seriesQuery: (\w+)_sum\n`).FindSubmatch(manifest)
	require.NotNil(t, series)
	assert.Equal(t, 1, testutil.CollectAndCount(metrics.NewPool(func() ipc.Stats { return ipc.Stats{} }), string(series[1])))
}
