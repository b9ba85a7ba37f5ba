package ipc

import (
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

// The log says that a worker is back, for those who have read of its end.
func TestReadyIsLogged(t *testing.T) {
	log := &logBuffer{}
	pool := startModule(t, "noisy.mjs", func(o *Options) { o.Logger = log.logger() })
	require.NoError(t, syscall.Kill(pool.Stats().Workers[0].PID, syscall.SIGKILL))
	eventually(t, func() bool { return strings.Count(log.String(), "ipc: worker ready") == 2 })
	assert.True(t, log.has("runtime="))
	requireValue(t, `"x"`, pool, task("line", `"x"`))
	requireValue(t, `"y"`, pool, task("line", `"y"`))
	assert.EqualValues(t, 2, pool.Stats().Served)
}

func TestStats(t *testing.T) {
	pool, answers := startHeld(t, "framed", func(o *Options) { o.Concurrency, o.MaxQueue, o.Spares = 1, 1, 1 })
	assert.True(t, pool.Ready())
	first := execute(pool, "held")
	eventually(t, func() bool { return pool.Stats().Workers[0].InFlight+pool.Stats().Workers[1].InFlight == 1 })
	second := execute(pool, "next")
	eventually(t, func() bool { return pool.Stats().Queued == 1 })
	_, err := pool.Execute(t.Context(), task("third", ""))
	requireCode(t, protocol.CodeOverloaded, err)

	stats := pool.Stats()
	assert.Equal(t, len("next"), stats.QueuedBytes)
	assert.Positive(t, stats.OldestWait)
	assert.Equal(t, Refusals{QueueFull: 1}, stats.Refused)
	states := map[WorkerState]WorkerStats{}
	for _, w := range stats.Workers {
		states[w.State] = w
		assert.Equal(t, 1, w.Starts)
		assert.Positive(t, w.Age)
		assert.Nil(t, w.LastExit)
	}
	require.Contains(t, states, StateSpare)
	assert.Equal(t, 1, states[StateReady].InFlight)
	assert.NotEqual(t, states[StateReady].PID, states[StateSpare].PID)

	answers()
	require.NoError(t, <-first)
	require.NoError(t, <-second)
	stats = pool.Stats()
	assert.EqualValues(t, 1, stats.Waits)
	assert.Positive(t, stats.WaitTime)

	require.NoError(t, pool.Close())
	assert.False(t, pool.Ready())
	stats = pool.Stats()
	assert.EqualValues(t, 2, stats.Exits[ExitStop])
	for slot, w := range stats.Workers {
		assert.Equal(t, slot, w.Slot)
		assert.Equal(t, StateExited, w.State)
		assert.Equal(t, ExitStop, w.LastExit.Reason)
	}
}
