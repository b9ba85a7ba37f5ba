package ipc

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc/internal/sched"
	"github.com/bluelibs/go-tunnel/protocol"
)

// What went wrong can be told by errors.Is, beside the code for callers over HTTP.
func TestErrors(t *testing.T) {
	wires(t, func(t *testing.T, wire string) {
		pool, _ := startHeld(t, wire, func(o *Options) {
			o.TaskTimeouts, o.CancelGrace = map[string]time.Duration{"never in time": time.Millisecond}, time.Minute
			o.Concurrency, o.MaxQueue = 2, -1
		})
		requireError := func(want error, code protocol.Code, err error) {
			t.Helper()
			require.ErrorIs(t, err, want)
			requireCode(t, code, err)
		}
		requireError(ErrWorkerEnded, protocol.CodeWorkerCrashed, <-execute(pool, "exit"))
		eventually(t, pool.Ready)
		other := execute(pool, "never")
		eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 1 })
		pidOf(t, pool) // the worker has read the call before
		requireError(ErrTaskTimeout, protocol.CodeTaskTimeout, <-execute(pool, "never in time"))
		requireError(ErrQueueFull, protocol.CodeOverloaded, <-execute(pool, "any"))
		require.NoError(t, pool.Close())
		requireError(ErrWorkerEnded, protocol.CodeWorkerCrashed, <-other)
		requireError(ErrClosed, protocol.CodeWorkerUnavailable, <-execute(pool, "any"))
		require.ErrorIs(t, pool.Restart(t.Context()), ErrClosed)
	})
	t.Run("queue timeout", func(t *testing.T) {
		pool, _ := startHeld(t, "plain", func(o *Options) { o.Concurrency, o.QueueTimeout = 1, time.Millisecond })
		_ = execute(pool, "never")
		eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 1 })
		require.ErrorIs(t, <-execute(pool, "any"), ErrQueueTimeout)
	})
	t.Run("start timeout", func(t *testing.T) {
		_, err := Start(context.Background(), Options{
			Command: []string{os.Args[0]}, Env: append(os.Environ(), "IPC_TEST_WORKER=framed: says nothing"),
			StartTimeout: time.Millisecond, Logger: discard,
		})
		require.ErrorIs(t, err, ErrStartTimeout)
		require.ErrorIs(t, err, ErrWorkerEnded)
	})
}

// The reasons of the scheduler are those of the pool.
func TestExitReasons(t *testing.T) {
	for reason, want := range map[sched.Reason]ExitReason{
		sched.Crash: ExitCrash, sched.StartFailed: ExitStart, sched.PingTimeout: ExitPing, sched.Timeout: ExitTimeout,
		sched.Calls: ExitCalls, sched.Age: ExitAge, sched.Memory: ExitMemory,
		sched.Restart: ExitRestart, sched.Rollback: ExitRollback, sched.PoolStop: ExitStop,
	} {
		assert.Equal(t, want, ExitReason(reason))
	}
}
