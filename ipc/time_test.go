package ipc

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

// wires runs a test on both wires.
func wires(t *testing.T, test func(t *testing.T, wire string)) {
	for _, wire := range []string{"plain", "framed"} {
		t.Run(wire, func(t *testing.T) {
			t.Parallel()
			test(t, wire)
		})
	}
}

// execute runs a call in the background.
func execute(pool *Pool, id string) (done <-chan error) {
	result := make(chan error, 1)
	go func() {
		_, err := pool.Execute(context.Background(), task(id, ""))
		result <- err
	}()
	return result
}

func pidOf(t testing.TB, pool *Pool) int {
	t.Helper()
	reply, err := pool.Execute(t.Context(), task("pid", ""))
	require.NoError(t, err)
	pid, err := strconv.Atoi(string(reply.Value))
	require.NoError(t, err)
	return pid
}

func TestTaskTimeout(t *testing.T) {
	wires(t, func(t *testing.T, wire string) {
		pool, answers := startHeld(t, wire, func(o *Options) {
			o.TaskTimeout, o.CancelGrace = time.Millisecond, time.Minute
			o.TaskTimeouts = map[string]time.Duration{"held on": 0, "pid": time.Minute}
		})
		other := execute(pool, "held on")
		begin := time.Now()
		err := <-execute(pool, "held")
		t.Log("answered after", time.Since(begin))
		requireCode(t, protocol.CodeTaskTimeout, err)
		assert.EqualValues(t, 1, pool.Stats().Timeouts)
		pid := pidOf(t, pool)
		answers()
		require.NoError(t, <-other, "it has no bound")
		eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 0 })
		assert.Equal(t, pid, pidOf(t, pool), "a worker that answers within the grace stays")
	})
}

func TestWorkerThatIgnoresATimeoutIsReplaced(t *testing.T) {
	wires(t, func(t *testing.T, wire string) {
		pool, answers := startHeld(t, wire, func(o *Options) {
			o.TaskTimeouts = map[string]time.Duration{"never": time.Millisecond}
			o.CancelGrace = time.Millisecond
		})
		old := pidOf(t, pool)
		other := execute(pool, "held")
		eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 1 })
		requireCode(t, protocol.CodeTaskTimeout, <-execute(pool, "never"))
		eventually(t, func() bool { return pidOf(t, pool) != old })
		require.NoError(t, syscall.Kill(old, 0), "it lives as long as its other call")
		answers()
		require.NoError(t, <-other)
		eventually(t, func() bool { return pool.Stats().Exits[ExitTimeout] == 1 })
	})
}

func TestBlockedWorkerIsKilled(t *testing.T) {
	for name, block := range map[string]func(pool *Pool) <-chan error{
		"in a call": func(pool *Pool) <-chan error { return execute(pool, "block") },
		"stopped": func(pool *Pool) <-chan error {
			result := execute(pool, "never")
			eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 1 })
			require.NoError(t, syscall.Kill(pool.Stats().Workers[0].PID, syscall.SIGSTOP))
			return result
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, _ := startHeld(t, "framed", func(o *Options) { o.PingTimeout = time.Second })
			eventually(t, func() bool { return pool.Stats().Workers[0].Lag > 0 })
			requireCode(t, protocol.CodeWorkerCrashed, <-block(pool))
			requireValue(t, `"next"`, pool, task("next", ""))
			assert.EqualValues(t, 1, pool.Stats().Exits[ExitPing])
		})
	}
}

func TestNoPingsForADebugger(t *testing.T) {
	for name, opts := range map[string]Options{
		"flag":     Node("x.mjs", "--inspect-brk"),
		"variable": {Command: []string{"node"}, Env: []string{"NODE_OPTIONS=--enable-source-maps --inspect=0"}},
	} {
		opts, err := opts.withDefaults()
		require.NoError(t, err)
		assert.Zero(t, opts.PingTimeout, name)
	}
	opts, err := Node("x.mjs", "--enable-source-maps").withDefaults()
	require.NoError(t, err)
	assert.Equal(t, 30*time.Second, opts.PingTimeout)
}

func TestCallsThatMayBeRepeated(t *testing.T) {
	wires(t, func(t *testing.T, wire string) {
		pool, _ := startHeld(t, wire, func(o *Options) { o.Workers, o.Idempotent = 6, []string{"once", "exit"} })
		ended := func() int { return int(pool.Stats().Exits[ExitCrash]) }
		requireValue(t, `"once"`, pool, task("once", ""))
		assert.EqualValues(t, 1, pool.Stats().Retries)
		requireCode(t, protocol.CodeWorkerCrashed, <-execute(pool, "exit"))
		assert.EqualValues(t, 2, pool.Stats().Retries, "it may be what ends them")
		eventually(t, func() bool { return ended() == 3 })
	})
}

func TestCallsThatMayNotBeRepeated(t *testing.T) {
	wires(t, func(t *testing.T, wire string) {
		pool, _ := startHeld(t, wire)
		requireCode(t, protocol.CodeWorkerCrashed, <-execute(pool, "once"))
		assert.Zero(t, pool.Stats().Retries)
	})
	pool, _ := startHeld(t, "framed")
	assert.True(t, pool.repeats(task("announced", "")), "by the worker")
	assert.False(t, pool.repeats(&protocol.Call{Kind: protocol.KindEvent, ID: "announced"}))
	assert.False(t, pool.repeats(task("once", "")))
}

func TestStop(t *testing.T) {
	wires(t, func(t *testing.T, wire string) {
		pool, _ := startHeld(t, wire, func(o *Options) { o.StopTimeout = 100 * time.Millisecond })
		other := execute(pool, "never")
		eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 1 })
		begin := time.Now()
		require.NoError(t, pool.Shutdown(t.Context()))
		t.Log("a busy pool with a bound of 0.1 s:", time.Since(begin))
		requireCode(t, protocol.CodeWorkerCrashed, <-other)

		pool, _ = startHeld(t, wire)
		begin = time.Now()
		require.NoError(t, pool.Shutdown(t.Context()))
		t.Log("an idle pool:", time.Since(begin))
	})
}

func TestRunAs(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can change the user")
	}
	if _, err := exec.LookPath("id"); err != nil {
		t.Skip(err)
	}
	log := &logBuffer{}
	start(t, Options{Command: []string{"sh", "-c", "id -u >&2; id -G >&2; read x"}, Wire: PlainWire, User: "65534", Group: "65533"},
		func(o *Options) { o.Logger = log.logger() })
	eventually(t, func() bool { return log.has("line=65534") && log.has("line=65533") })
	_, err := Start(t.Context(), Options{Command: []string{"true"}, User: "nobody knows him"})
	require.ErrorContains(t, err, "Options.User")
	_, err = Start(t.Context(), Options{Command: []string{"true"}, Group: "nobody knows it"})
	require.ErrorContains(t, err, "Options.Group")
}

func TestEnvFilter(t *testing.T) {
	log := &logBuffer{}
	start(t, Options{
		Command:   []string{"sh", "-c", `echo "a=$A b=$B" >&2; read x`},
		Env:       []string{"A=1", "B=2", "PATH=" + os.Getenv("PATH")},
		EnvFilter: func(name string) bool { return name != "B" },
		Wire:      PlainWire,
	}, func(o *Options) { o.Logger = log.logger() })
	eventually(t, func() bool { return log.has(`line="a=1 b="`) })
}
