package ipc

import (
	"context"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Calls that nobody waits for any more are bound by the same times as others: a worker whose
// places they have is replaced.
func TestAbandonedCalls(t *testing.T) {
	const places = 3
	for name, opts := range map[string]Options{
		"with a TaskTimeout":            {TaskTimeout: time.Second, CancelGrace: time.Millisecond},
		"with a TaskTimeout, plain":     {TaskTimeout: time.Second, CancelGrace: time.Millisecond, Wire: PlainWire},
		"without one":                   {CancelGrace: time.Second},
		"with none for one task":        {TaskTimeout: time.Hour, TaskTimeouts: map[string]time.Duration{"never": 0}, CancelGrace: time.Second},
		"with a TaskTimeout of its own": {TaskTimeouts: map[string]time.Duration{"never": time.Second}, CancelGrace: time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wire := "framed"
			if opts.Wire == PlainWire {
				wire = "plain"
			}
			pool, _ := startHeld(t, wire, func(o *Options) {
				o.Concurrency, o.QueueTimeout = places, time.Minute
				o.TaskTimeout, o.TaskTimeouts, o.CancelGrace = opts.TaskTimeout, opts.TaskTimeouts, opts.CancelGrace
			})
			old := pool.Stats().Workers[0].PID
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var callers sync.WaitGroup
			for range places {
				callers.Go(func() {
					_, err := pool.Execute(ctx, task("never", ""))
					assert.ErrorIs(t, err, context.Canceled)
				})
			}
			eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == places })
			assert.True(t, pool.Ready(), "somebody waits")
			cancel()
			callers.Wait()
			if pool.Stats().Exits[ExitTimeout] == 0 && pidOfCurrent(pool) == old {
				assert.False(t, pool.Ready(), "its places may never come free")
			}
			requireValue(t, `"next"`, pool, task("next", ""))
			assert.True(t, pool.Ready())
			eventually(t, func() bool { return pool.Stats().Exits[ExitTimeout] == 1 })
			assert.ErrorIs(t, syscall.Kill(old, 0), syscall.ESRCH)
			assert.Zero(t, pool.Stats().Timeouts, "no caller has waited so long")
		})
	}
	assert.Zero(t, (&Options{Wire: PlainWire, CancelGrace: 1}).answerBy(time.Time{}), "the plain wire cannot cancel")
}

func pidOfCurrent(pool *Pool) int {
	for _, w := range pool.Stats().Workers {
		if w.State == StateReady {
			return w.PID
		}
	}
	return 0
}

// So is a stream that its reader has closed.
func TestAbandonedStream(t *testing.T) {
	pool, _ := startHeld(t, "framed", func(o *Options) { o.Concurrency, o.CancelGrace = 1, time.Millisecond })
	reply, err := pool.Execute(t.Context(), task("stream", ""))
	require.NoError(t, err)
	require.NoError(t, reply.Stream.Close())
	requireValue(t, `"next"`, pool, task("next", ""))
	eventually(t, func() bool { return pool.Stats().Exits[ExitTimeout] == 1 })
}
