package examples

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// status returns what a GET is answered with, 0 if it is not.
func status(url string) int {
	res, err := http.Get(url)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// A worker's new source takes over without a failed request: when it is saved, and on
// SIGHUP.
func TestReload(t *testing.T) {
	worker := filepath.Join(t.TempDir(), "tasks.mjs")
	save := func(version int) {
		source := fmt.Sprintf("export const tasks = { version: () => %d, pid: () => process.pid };", version)
		require.NoError(t, os.WriteFile(worker, []byte(source), 0o600))
	}
	save(1)
	server := startProgram(t, ".", "ipc", "-watch", "-worker", worker)
	base := server.base
	version := func() string { return post(t, base+"/task/version", "", "x-runner-token", "secret") }
	over := make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					assert.True(t, strings.HasPrefix(version(), `{"ok":true,"result":`))
				}
			}
		})
	}
	becomes := func(want int) {
		require.Eventually(t, func() bool { return version() == fmt.Sprintf(`{"ok":true,"result":%d}`, want) }, 30*time.Second, 10*time.Millisecond)
	}
	becomes(1)
	save(2)
	becomes(2)

	pid := func() string { return post(t, base+"/task/pid", "", "x-runner-token", "secret") }
	before := pid()
	require.NoError(t, server.process.Signal(syscall.SIGHUP))
	require.Eventually(t, func() bool { return pid() != before }, 30*time.Second, 10*time.Millisecond)
	close(over)
	callers.Wait()
	origin := strings.TrimSuffix(base, "/__runner")
	assert.Equal(t, http.StatusOK, status(origin+"/healthz"))
	assert.Equal(t, http.StatusOK, status(origin+"/readyz"))
}

// Ready means that there is a worker.
func TestReadiness(t *testing.T) {
	worker := filepath.Join(t.TempDir(), "tasks.mjs")
	good := []byte("export const tasks = { end: () => process.exit(1) };")
	require.NoError(t, os.WriteFile(worker, good, 0o600))
	origin := strings.TrimSuffix(start(t, "ipc", "-worker", worker), "/__runner")
	require.Equal(t, http.StatusOK, status(origin+"/readyz"))
	require.NoError(t, os.Remove(worker))
	assert.Contains(t, post(t, origin+"/__runner/task/end", "", "x-runner-token", "secret"), "WORKER_CRASHED")
	require.Eventually(t, func() bool { return status(origin+"/readyz") == http.StatusServiceUnavailable }, 30*time.Second, time.Millisecond)
	assert.Equal(t, http.StatusOK, status(origin+"/healthz"))
	require.NoError(t, os.WriteFile(worker, good, 0o600))
	require.Eventually(t, func() bool { return status(origin+"/readyz") == http.StatusOK }, 60*time.Second, 10*time.Millisecond)
}
