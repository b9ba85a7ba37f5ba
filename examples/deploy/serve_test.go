package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
)

// A server whose places are all taken by calls that nobody waits for is not ready, until the
// worker that does not answer them is replaced.
func TestReadinessWithAbandonedCalls(t *testing.T) {
	app := filepath.Join(t.TempDir(), "app.mjs")
	require.NoError(t, os.WriteFile(app, []byte("export const tasks = { never: () => new Promise(() => {}) };"), 0o600))
	opts := ipc.Node(app)
	opts.Concurrency, opts.TaskTimeout, opts.Logger = 2, 2*time.Second, slog.New(slog.DiscardHandler)
	opts.CancelGrace = time.Second
	pool, err := ipc.Start(t.Context(), opts)
	require.NoError(t, err)
	defer pool.Close()
	handler := probes(t.Context(), pool)
	readiness := func() int {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		return w.Code
	}
	require.Equal(t, http.StatusOK, readiness())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	left := make(chan error, opts.Concurrency)
	for range opts.Concurrency {
		go func() {
			_, err := pool.Execute(ctx, &protocol.Call{ID: "never"})
			left <- err
		}()
	}
	becomes := func(status int) {
		t.Helper()
		require.Eventually(t, func() bool { return readiness() == status }, 30*time.Second, time.Millisecond)
	}
	require.Eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == opts.Concurrency }, 30*time.Second, time.Millisecond)
	cancel()
	for range opts.Concurrency {
		assert.ErrorIs(t, <-left, context.Canceled)
	}
	becomes(http.StatusServiceUnavailable)
	becomes(http.StatusOK)
	assert.EqualValues(t, 1, pool.Stats().Exits[ipc.ExitTimeout]+uint64(len(pool.Stats().Workers)-1), "by another worker")
}
