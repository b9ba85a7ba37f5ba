package metrics_test

import (
	"log"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol/metrics"

	tunnel "github.com/bluelibs/go-tunnel"
)

// A server with its metrics at a port of their own.
func Example() {
	_ = func(pool *ipc.Pool) {
		requests := metrics.NewRequests()
		prometheus.MustRegister(requests, metrics.NewPool(pool.Stats))
		http.Handle("/__runner/", tunnel.New(pool, tunnel.Config{
			Tokens:     []string{"secret"},
			Middleware: []tunnel.Middleware{requests.Middleware},
		}))
		log.Print(http.ListenAndServe("127.0.0.1:9464", promhttp.Handler()))
	}
}
