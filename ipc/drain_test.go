package ipc

import (
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc/internal/conn"
	"github.com/bluelibs/go-tunnel/protocol"
)

// alone says that of a pool's workers only the one that takes calls is left.
func alone(pool *Pool) func() bool {
	return func() bool { return len(pool.Stats().Workers) == 1 }
}

// Streams without end keep old workers for a time only, whether they end well when they are
// told to or not at all, and their readers see that they were cut.
func TestDrainIsBounded(t *testing.T) {
	for _, id := range []string{"stream", "polite-stream"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			pool, _ := startHeld(t, "framed", func(o *Options) {
				o.DrainTimeout, o.CancelGrace, o.StopTimeout = time.Millisecond, time.Millisecond, time.Second
			})
			var cut []error
			for range 6 {
				reply, err := pool.Execute(t.Context(), task(id, ""))
				require.NoError(t, err)
				require.NoError(t, pool.Restart(t.Context()))
				data, err := io.ReadAll(reply.Stream)
				assert.Equal(t, "abc", string(data), "what has come of it is there")
				cut = append(cut, err)
				require.NoError(t, reply.Stream.Close())
			}
			for _, err := range cut {
				assert.ErrorIs(t, err, conn.ErrEnded)
			}
			eventually(t, alone(pool))
			assert.EqualValues(t, 6, pool.Stats().Exits[ExitRestart])
			assert.True(t, pool.Ready())
		})
	}
}

// Calls are cut, too, and it is not their callers who have left.
func TestDrainIsBoundedForCalls(t *testing.T) {
	wires(t, func(t *testing.T, wire string) {
		for _, id := range []string{"never", "abort"} {
			pool, _ := startHeld(t, wire, func(o *Options) {
				o.DrainTimeout, o.CancelGrace, o.StopTimeout = time.Millisecond, time.Second, time.Second
			})
			call := execute(pool, id)
			eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 1 })
			pidOf(t, pool) // it has read the call
			require.NoError(t, pool.Restart(t.Context()))
			requireCode(t, protocol.CodeWorkerCrashed, <-call)
			eventually(t, alone(pool))
			assert.Zero(t, pool.Stats().Workers[0].InFlight)
		}
	})
}

func TestDrainWithoutABound(t *testing.T) {
	pool, _ := startHeld(t, "framed", func(o *Options) { o.DrainTimeout = -1 })
	reply, err := pool.Execute(t.Context(), task("stream", ""))
	require.NoError(t, err)
	require.NoError(t, pool.Restart(t.Context()))
	assert.Len(t, pool.Stats().Workers, 2)
	require.NoError(t, reply.Stream.Close())
	eventually(t, alone(pool))
}

// The handler learns that its time is over by its signal, and what it has sent arrives.
func TestDrainAbortsTheSignal(t *testing.T) {
	module := filepath.Join(t.TempDir(), "tasks.mjs")
	writeModule(t, module, `
import { Readable } from "node:stream";
import { appendFileSync } from "node:fs";
export const tasks = {
	tick: (input, { signal }) => {
		signal.addEventListener("abort", () => appendFileSync(input, "aborted"));
		return new Readable({ read() { setTimeout(() => this.push("tick\n"), 10); } });
	},
};`)
	aborted := filepath.Join(t.TempDir(), "aborted")
	pool := start(t, Node(module), func(o *Options) { o.DrainTimeout = 100 * time.Millisecond })
	reply, err := pool.Execute(t.Context(), task("tick", `"`+aborted+`"`))
	require.NoError(t, err)
	require.NoError(t, pool.Restart(t.Context()))
	data, err := io.ReadAll(reply.Stream)
	require.Error(t, err)
	assert.False(t, errors.Is(err, io.EOF))
	assert.Contains(t, string(data), "tick\n")
	require.NoError(t, reply.Stream.Close())
	eventually(t, func() bool { return len(lines(aborted)) == 1 })
	eventually(t, alone(pool))
}
