package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/bluelibs/go-tunnel/ipc"

	tunnel "github.com/bluelibs/go-tunnel"
)

// patience is how long a caller may send or take nothing while the server waits for it.
const patience = 30 * time.Second

// serve runs until ctx is done, and then stops in this order: say that this server is
// not ready any more, and wait until balancers know; take no more connections, and let
// requests under way end; end the workers; and only then stop to answer probes. What
// runs the server must wait for the sum of -drain-delay, -drain-timeout and the pool's
// StopTimeout before it kills.
func serve(ctx context.Context, o options, handler *current, pool *ipc.Pool) error {
	adminAt, err := net.Listen("tcp", o.admin)
	if err != nil {
		return err
	}
	publicAt, err := net.Listen("tcp", o.addr)
	if err != nil {
		return errors.Join(err, adminAt.Close())
	}
	admin := &http.Server{Handler: probes(ctx, pool), ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
	public := &http.Server{
		Handler:           closing(ctx, impatient(handler, patience)),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       120 * time.Second, // longer than that of a balancer in front, or it sends into closed connections
		MaxHeaderBytes:    16 << 10,
		ConnContext:       tunnel.ConnContext, // for proxies that speak HTTP/1.0
		// A ReadTimeout and a WriteTimeout would cut long uploads and streams, however
		// well those go on: that is for impatient to decide. (What ends an upload is
		// -task-timeout: see worker.)
	}
	publicAt, finish := inFront(ctx, o, publicAt, handler, public)
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	served := make(chan error, 2)
	go func() { served <- admin.Serve(adminAt) }()
	go func() { served <- listen(public, publicAt, o.cert, o.key) }()
	slog.Info("listening", "tunnel", publicAt.Addr().String(), "probes", adminAt.Addr().String())

	select {
	case err = <-served: // one of the two has failed; the other one is stopped
		served <- http.ErrServerClosed
	case <-ctx.Done():
		slog.Info("stopping: not ready any more")
		select {
		case <-time.After(o.drainDelay):
		case <-interrupts: // from a terminal: there is no balancer
		}
	}
	signal.Stop(interrupts)
	slog.Info("stopping: no more connections")
	bound, cancel := context.WithTimeout(context.Background(), o.drainTimeout)
	defer cancel()
	if late := errors.Join(finish(bound), public.Shutdown(bound)); late != nil {
		err = errors.Join(err, fmt.Errorf("requests were cut off: %w", late), public.Close())
	}
	slog.Info("stopping: the workers")
	err = errors.Join(err, pool.Shutdown(context.Background()), admin.Close())
	for range cap(served) {
		if end := <-served; !errors.Is(end, http.ErrServerClosed) {
			err = errors.Join(err, end)
		}
	}
	return err
}

func listen(server *http.Server, at net.Listener, cert, key string) error {
	if cert != "" || key != "" {
		return server.ServeTLS(at, cert, key)
	}
	return server.Serve(at)
}

// closing makes the answers of a stopping server end their connections, so that callers
// go elsewhere with the next request. Over HTTP/2 net/http says GOAWAY.
func closing(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ctx.Err() != nil {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// probes answers /healthz as long as this process lives: a restart does not help workers
// that do not start. It answers /readyz with 503 while no worker takes calls, or none has a
// place that comes free by itself, and from the first moment of a stop.
func probes(ctx context.Context, pool *ipc.Pool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if ctx.Err() != nil || !pool.Ready() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		s := pool.Stats() // of which examples/observability shows all, by the same names
		fmt.Fprintf(w, "# TYPE tunnel_pool_queue_wait_seconds summary\ntunnel_pool_queue_wait_seconds_sum %g\ntunnel_pool_queue_wait_seconds_count %d\n",
			s.WaitTime.Seconds(), s.Waits)
		fmt.Fprintf(w, "# TYPE tunnel_pool_refused_total counter\ntunnel_pool_refused_total{reason=\"full\"} %d\ntunnel_pool_refused_total{reason=\"late\"} %d\n",
			s.Refused.QueueFull, s.Refused.QueueTimeout)
	})
	return mux
}
