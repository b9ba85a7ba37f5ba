package ipc

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

const nodeWorker = "../tests/testdata/runner/worker.js"

// startNode starts a pool of Node.js workers on the plain wire.
func startNode(t testing.TB, change ...func(*Options)) *Pool {
	t.Helper()
	return start(t, Options{Command: []string{"node", nodeWorker}, Wire: PlainWire}, change...)
}

// start starts a pool that logs nothing, unless it is changed to, and ends it with the test.
func start(t testing.TB, opts Options, change ...func(*Options)) *Pool {
	t.Helper()
	opts.Logger = discard
	for _, f := range change {
		f(&opts)
	}
	pool, err := Start(context.Background(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return pool
}

// logBuffer collects what is logged.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *logBuffer) has(text string) bool { return strings.Contains(b.String(), text) }

func (b *logBuffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

func requireValue(t testing.TB, want string, pool *Pool, call *protocol.Call) {
	t.Helper()
	reply, err := pool.Execute(t.Context(), call)
	require.NoError(t, err)
	require.Equal(t, want, string(reply.Value))
}

func TestExecute(t *testing.T) {
	pool := startNode(t)
	requireValue(t, `8`, pool, task("app.tasks.add", `{"a":5,"b":3}`))
	requireValue(t, `{"a":[1,2]}`, pool, task("app.tasks.echo", "{\n\"a\": [1,\r\n2]}"))
	requireValue(t, "\"\u2028\"", pool, task("app.tasks.echo", "\"\u2028\""))
	requireValue(t, ``, pool, task("app.tasks.nothing", ""))
	requireValue(t, `"`+strings.Repeat("x", 3<<20)+`"`, pool, task("app.tasks.huge", fmt.Sprintf(`{"bytes":%d}`, 3<<20)))

	_, err := pool.Execute(t.Context(), task("no.such.task", ""))
	requireCode(t, protocol.CodeNotFound, err)
	_, err = pool.Execute(t.Context(), task("app.tasks.fail", ""))
	require.ErrorContains(t, err, "secret detail")
	assert.Equal(t, "INTERNAL_ERROR: Internal Error: "+err.Error(), protocol.Public(err).Error(), "private")
}

// A call that no worker takes names none; a failed one names who failed.
func TestWorkersAreNamed(t *testing.T) {
	pool := startNode(t)
	call := task("app.tasks.fail", "")
	_, err := pool.Execute(t.Context(), call)
	require.Error(t, err)
	assert.Equal(t, fmt.Sprintf("0/%d", pool.Stats().Workers[0].PID), call.Worker)

	require.NoError(t, pool.Close())
	call = task("app.tasks.fail", "")
	_, err = pool.Execute(t.Context(), call)
	require.Error(t, err)
	assert.Empty(t, call.Worker)
}

func TestEventPayload(t *testing.T) {
	pool := startNode(t)
	event := &protocol.Call{Kind: protocol.KindEvent, ID: "app.events.rename", Payload: []byte(`{"name":"ann"}`), ReturnPayload: true}
	requireValue(t, `{"name":"ANN"}`, pool, event)
	event.ID = "app.events.notify"
	requireValue(t, `{"name":"ann"}`, pool, event)
}

func TestAnswersComeInAnyOrder(t *testing.T) {
	pool := startNode(t)
	slow := make(chan error, 1)
	go func() {
		_, err := pool.Execute(t.Context(), task("app.tasks.sleep", `{"ms":300}`))
		slow <- err
	}()
	require.Eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 1 }, 10*time.Second, time.Millisecond)
	requireValue(t, `3`, pool, task("app.tasks.add", `{"a":1,"b":2}`))
	select {
	case err := <-slow:
		t.Fatal("the slow call was not overtaken", err)
	default:
	}
	require.NoError(t, <-slow)
}

func TestEveryCallerGetsItsOwnAnswer(t *testing.T) {
	pool := startNode(t, func(o *Options) { o.Workers = 2 })
	var callers sync.WaitGroup
	for caller := range 64 {
		callers.Go(func() {
			for n := range 50 {
				text := fmt.Sprintf(`{"caller":%d,"n":%d}`, caller, n)
				reply, err := pool.Execute(t.Context(), task("app.tasks.echo", text))
				if assert.NoError(t, err) {
					assert.Equal(t, text, string(reply.Value))
				}
			}
		})
	}
	callers.Wait()
}

func TestWorkersShareTheLoad(t *testing.T) {
	pool := startNode(t, func(o *Options) { o.Workers, o.Concurrency = 2, 1 })
	var callers sync.WaitGroup
	for range 2 {
		callers.Go(func() {
			_, err := pool.Execute(t.Context(), task("app.tasks.sleep", `{"ms":100}`))
			assert.NoError(t, err)
		})
	}
	require.Eventually(t, func() bool {
		s := pool.Stats()
		return s.Workers[0].InFlight == 1 && s.Workers[1].InFlight == 1
	}, 10*time.Second, time.Millisecond)
	callers.Wait()
}

func TestKillingWorkersWhileClientsCall(t *testing.T) {
	pool := startNode(t, func(o *Options) { o.Workers = 2 })
	stop := make(chan struct{})
	var callers sync.WaitGroup
	var mu sync.Mutex
	outcomes := map[protocol.Code]int{}
	for caller := range 64 {
		callers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				reply, err := pool.Execute(t.Context(), task("app.tasks.add", fmt.Sprintf(`{"a":%d,"b":%d}`, caller, n)))
				var code protocol.Code
				if err == nil {
					assert.Equal(t, fmt.Sprint(caller+n), string(reply.Value))
				} else {
					code = protocol.Public(err).Code
				}
				mu.Lock()
				outcomes[code]++
				mu.Unlock()
			}
		})
	}
	for kills := range 6 {
		var victim WorkerStats
		eventually(t, func() bool {
			for _, w := range pool.Stats().Workers {
				if w.Slot == kills%2 && w.State == StateReady {
					victim = w
				}
			}
			return victim.PID != 0
		})
		require.NoError(t, syscall.Kill(victim.PID, syscall.SIGKILL))
		eventually(t, func() bool {
			for _, w := range pool.Stats().Workers {
				if w.Slot == victim.Slot && w.Starts > victim.Starts {
					return true
				}
			}
			return false
		})
	}
	close(stop)
	callers.Wait()
	for code := range outcomes {
		assert.Contains(t, []protocol.Code{"", protocol.CodeWorkerCrashed, protocol.CodeWorkerUnavailable}, code)
	}
	assert.Positive(t, outcomes[""])
	require.Eventually(t, func() bool { // back by itself
		reply, err := pool.Execute(t.Context(), task("app.tasks.add", `{"a":1,"b":2}`))
		return err == nil && string(reply.Value) == "3"
	}, 20*time.Second, 10*time.Millisecond)
}

func TestNoise(t *testing.T) {
	log := &logBuffer{}
	pool := startNode(t, func(o *Options) { o.Logger = log.logger() })
	starts := pool.Stats().Workers[0].PID
	requireValue(t, `"done"`, pool, task("app.tasks.noise", `{"lines":2000}`))
	requireValue(t, `"done"`, pool, task("app.tasks.bigline", fmt.Sprintf(`{"bytes":%d}`, 50<<20)))
	requireValue(t, `"first"`, pool, task("app.tasks.twice", ""))
	requireValue(t, `3`, pool, task("app.tasks.add", `{"a":1,"b":2}`))
	assert.Equal(t, starts, pool.Stats().Workers[0].PID, "the worker has survived")
	assert.Contains(t, log.String(), "a line of some library")

	requireValue(t, `"done"`, pool, task("app.tasks.stderr", `{"lines":3}`))
	require.Eventually(t, func() bool { return strings.Contains(log.String(), `stream=stderr line="stderr line 3"`) }, 10*time.Second, time.Millisecond)
}

func TestAnswerOverTheLimitFailsItsCallOnly(t *testing.T) {
	pool := startNode(t, func(o *Options) { o.MaxAnswer = 100_000 })
	_, err := pool.Execute(t.Context(), task("app.tasks.huge", `{"bytes":200000}`))
	require.ErrorContains(t, err, "Options.MaxAnswer is 100000: raise it, or let the task return a stream")
	requireValue(t, `3`, pool, task("app.tasks.add", `{"a":1,"b":2}`))
}

// The place of a call whose caller has left is taken until the worker has answered.
func TestCallerThatLeaves(t *testing.T) {
	for _, wire := range []string{"plain", "framed"} {
		t.Run(wire, func(t *testing.T) {
			pool, answers := startHeld(t, wire, func(o *Options) { o.Concurrency = 1 })
			ctx, cancel := context.WithCancel(t.Context())
			left := make(chan error, 2)
			leave := func() {
				_, err := pool.Execute(ctx, task("held", ""))
				left <- err
			}
			go leave()
			eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 1 })
			go leave() // has to wait
			eventually(t, func() bool { return pool.Stats().Queued == 1 })
			cancel()
			require.ErrorIs(t, <-left, context.Canceled)
			require.ErrorIs(t, <-left, context.Canceled)
			stats := pool.Stats()
			assert.Zero(t, stats.Queued)
			assert.Equal(t, 1, stats.Workers[0].InFlight)
			assert.EqualValues(t, 1, stats.Cancels)
			answers()
			requireValue(t, `"free"`, pool, task("free", ""))
			assert.Zero(t, pool.Stats().Workers[0].InFlight)
		})
	}
}

func TestQueue(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	occupy := func(pool *Pool) {
		go func() { _, _ = pool.Execute(ctx, task("app.tasks.never", "")) }()
		require.Eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 1 }, 10*time.Second, time.Millisecond)
	}
	t.Run("count", func(t *testing.T) {
		pool := startNode(t, func(o *Options) { o.Concurrency, o.MaxQueue = 1, -1 })
		occupy(pool)
		_, err := pool.Execute(t.Context(), task("app.tasks.add", ""))
		requireCode(t, protocol.CodeOverloaded, err)
	})
	t.Run("bytes", func(t *testing.T) {
		pool := startNode(t, func(o *Options) { o.Concurrency, o.MaxQueueBytes = 1, 10 })
		occupy(pool)
		_, err := pool.Execute(t.Context(), task("a", `"1234567890"`))
		requireCode(t, protocol.CodeOverloaded, err)
	})
	t.Run("age", func(t *testing.T) {
		pool := startNode(t, func(o *Options) { o.Concurrency, o.QueueTimeout = 1, time.Millisecond })
		occupy(pool)
		_, err := pool.Execute(t.Context(), task("app.tasks.add", ""))
		requireCode(t, protocol.CodeOverloaded, err)
		assert.Zero(t, pool.Stats().Queued)
	})
	t.Run("close", func(t *testing.T) {
		pool := startNode(t, func(o *Options) { o.Concurrency = 1 })
		occupy(pool)
		waiting := make(chan error, 1)
		go func() {
			_, err := pool.Execute(t.Context(), task("app.tasks.add", ""))
			waiting <- err
		}()
		require.Eventually(t, func() bool { return pool.Stats().Queued == 1 }, 10*time.Second, time.Millisecond)
		require.NoError(t, pool.Close())
		requireCode(t, protocol.CodeWorkerUnavailable, <-waiting)
	})
}

func TestShutdown(t *testing.T) {
	pool := startNode(t)
	answered := make(chan error, 1)
	go func() {
		_, err := pool.Execute(t.Context(), task("app.tasks.sleep", `{"ms":200}`))
		answered <- err
	}()
	require.Eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 1 }, 10*time.Second, time.Millisecond)
	require.NoError(t, pool.Shutdown(t.Context()))
	require.NoError(t, <-answered, "what was under way has ended well")
	_, err := pool.Execute(t.Context(), task("app.tasks.add", ""))
	requireCode(t, protocol.CodeWorkerUnavailable, err)
	require.NoError(t, pool.Shutdown(t.Context()), "again")
}

func TestShutdownIsBoundByItsContext(t *testing.T) {
	pool := startNode(t)
	failed := make(chan error, 1)
	go func() {
		_, err := pool.Execute(t.Context(), task("app.tasks.never", ""))
		failed <- err
	}()
	require.Eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 1 }, 10*time.Second, time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.ErrorIs(t, pool.Shutdown(ctx), context.DeadlineExceeded)
	var e *protocol.Error
	require.ErrorAs(t, <-failed, &e) // which one depends on whether the worker had read the call
	require.Contains(t, []protocol.Code{protocol.CodeWorkerCrashed, protocol.CodeWorkerUnavailable}, e.Code)
}

func TestStartFails(t *testing.T) {
	for name, opts := range map[string]Options{
		"no command":        {},
		"no such program":   {Wire: PlainWire, Command: []string{"no-such-program-anywhere"}, Workers: 3},
		"no such directory": {Wire: PlainWire, Command: []string{"node", nodeWorker}, Dir: "no/such/directory"},
	} {
		_, err := Start(t.Context(), opts)
		assert.Error(t, err, name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Start(ctx, Options{Wire: PlainWire, Command: []string{"node", nodeWorker}})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestMissingScriptThatComesBack(t *testing.T) {
	script := filepath.Join(t.TempDir(), "worker.js")
	pool := startNode(t, func(o *Options) { o.Command = []string{"node", script} })
	require.Eventually(t, func() bool { return pool.Stats().Workers[0].Starts > 1 }, 20*time.Second, time.Millisecond)
	source, err := os.ReadFile(nodeWorker)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(script, source, 0o600))
	require.Eventually(t, func() bool {
		reply, err := pool.Execute(t.Context(), task("app.tasks.add", `{"a":1,"b":2}`))
		return err == nil && string(reply.Value) == "3"
	}, 20*time.Second, 10*time.Millisecond)
}
