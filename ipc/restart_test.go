package ipc

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc/internal/backoff"
	"github.com/bluelibs/go-tunnel/ipc/internal/proc"
	"github.com/bluelibs/go-tunnel/protocol"
)

// load runs calls from so many callers until stop is called, which returns how long each
// took, sorted, and the errors, wrong answers to an echo among them.
func load(pool *Pool, callers int, call func(n int64) *protocol.Call) (stop func() ([]time.Duration, []error)) {
	var all sync.WaitGroup
	var mu sync.Mutex
	var took []time.Duration
	var errs []error
	var last atomic.Int64
	over := make(chan struct{})
	for range callers {
		all.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				begin := time.Now()
				c := call(last.Add(1))
				reply, err := pool.Execute(background, c)
				if err == nil && strings.HasPrefix(c.ID, "echo ") && string(reply.Value) != strconv.Quote(c.ID) {
					err = fmt.Errorf("%s was answered with %s", c.ID, reply.Value)
				}
				mu.Lock()
				took = append(took, time.Since(begin))
				if err != nil {
					errs = append(errs, err)
				}
				mu.Unlock()
			}
		})
	}
	return func() ([]time.Duration, []error) {
		close(over)
		all.Wait()
		slices.Sort(took)
		return took, errs
	}
}

func p99(sorted []time.Duration) time.Duration { return sorted[len(sorted)*99/100] }

func writeModule(t *testing.T, file, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
}

const sleepModule = `export const tasks = {
	v%d: () => %[1]d,
	sleep: () => new Promise((resolve) => setTimeout(resolve, 5)),
};`

func TestRestart(t *testing.T) {
	module := filepath.Join(t.TempDir(), "tasks.mjs")
	writeModule(t, module, fmt.Sprintf(sleepModule, 1))
	pool := start(t, run(module), func(o *Options) { o.Workers, o.Spares = 2, 1 })
	requireValue(t, "1", pool, task("v1", ""))

	writeModule(t, module, "this is no JavaScript")
	require.ErrorContains(t, pool.Restart(t.Context()), "before its hello")
	requireValue(t, "1", pool, task("v1", ""))

	writeModule(t, module, fmt.Sprintf(sleepModule, 2))
	require.NoError(t, pool.Restart(t.Context()))
	requireValue(t, "2", pool, task("v2", ""))
	_, err := pool.Execute(t.Context(), task("v1", ""))
	requireCode(t, protocol.CodeNotFound, err)
	assert.Contains(t, pool.List().IDs(protocol.KindTask), "v2")
	eventually(t, func() bool { return pool.Stats().Exits[ExitRestart] == 3 })

	require.NoError(t, pool.Shutdown(t.Context()))
	require.ErrorIs(t, pool.Restart(t.Context()), ErrClosed)
}

// Nobody notices a restart.
func TestRestartUnderLoad(t *testing.T) {
	dir := t.TempDir()
	module, ready := filepath.Join(dir, "tasks.mjs"), filepath.Join(dir, "ready")
	writeModule(t, module, fmt.Sprintf(sleepModule, 1))
	pool := start(t, run(module), func(o *Options) { o.Workers = 2 })
	witness := start(t, run(module)) // which nobody restarts: it says how time goes by
	restarts := 2
	if long() {
		restarts = 20
	}
	var begun atomic.Int64
	stop := load(pool, 16, func(n int64) *protocol.Call {
		begun.Store(n)
		return task("sleep", "")
	})
	restarted := make(chan error, 1)
	restart := func(times int) {
		for range times {
			if err := pool.Restart(t.Context()); err != nil {
				restarted <- err
				return
			}
		}
		restarted <- nil
	}

	// Calls go on while the pool is being restarted.
	go restart(restarts)
	longest, idle, last := 0, 0, begun.Load()
	for over := false; !over; {
		select {
		case err := <-restarted:
			require.NoError(t, err)
			over = true
		default:
		}
		_, err := witness.Execute(t.Context(), task("sleep", ""))
		require.NoError(t, err)
		if n := begun.Load(); n != last {
			idle, last = 0, n
		} else {
			idle++
			longest = max(longest, idle)
		}
	}
	assert.Less(t, longest, 20, "calls of the other pool while none of 16 callers had an answer")

	// They do, too, while a new worker does not get ready.
	writeModule(t, module, fmt.Sprintf(`
import { existsSync } from "node:fs";
while (!existsSync(%q)) await new Promise((resolve) => setTimeout(resolve, 1));
`, ready)+fmt.Sprintf(sleepModule, 2))
	go restart(1)
	eventually(t, func() bool { return len(pool.Stats().Workers) == 3 })
	last = begun.Load()
	eventually(t, func() bool { return begun.Load() > last+100 })
	assert.Empty(t, restarted)
	writeModule(t, ready, "")
	require.NoError(t, <-restarted)

	took, errs := stop()
	require.Empty(t, errs)
	assert.Equal(t, Refusals{}, pool.Stats().Refused)
	t.Logf("%d restarts, %d calls, p99 %v; at most %d calls of the other pool without an answer", restarts+1, len(took), p99(took), longest)
}

// Of workers that are worn at the same time one is replaced after the other.
func TestWornWorkers(t *testing.T) {
	dir := t.TempDir()
	module, ready := filepath.Join(dir, "tasks.mjs"), filepath.Join(dir, "ready")
	writeModule(t, ready, "")
	writeModule(t, module, fmt.Sprintf(`
import { existsSync } from "node:fs";
while (!existsSync(%q)) await new Promise((resolve) => setTimeout(resolve, 1));
`, ready)+fmt.Sprintf(sleepModule, 1))
	pool := start(t, run(module), func(o *Options) { o.Workers, o.Concurrency, o.MaxCalls = 2, 1, 1 })
	require.NoError(t, os.Remove(ready))
	var calls sync.WaitGroup
	for range 2 {
		calls.Go(func() {
			_, err := pool.Execute(background, task("sleep", ""))
			assert.NoError(t, err)
		})
	}
	calls.Wait()
	eventually(t, func() bool { return len(pool.Stats().Workers) > 2 })
	for range 2 {
		requireValue(t, "1", pool, task("v1", ""))
	}
	assert.Len(t, pool.Stats().Workers, 3)
	writeModule(t, ready, "")
	eventually(t, func() bool { return pool.Stats().Exits[ExitCalls] >= 2 })
}

func TestRestartThatIsGivenUp(t *testing.T) {
	module := filepath.Join(t.TempDir(), "tasks.mjs")
	writeModule(t, module, fmt.Sprintf(sleepModule, 1))
	pool := start(t, run(module))
	pid := pool.Stats().Workers[0].PID
	writeModule(t, module, "await new Promise((resolve) => setTimeout(resolve, 1e6))")
	ctx, cancel := withCancel(t)
	restarted := make(chan error, 1)
	go func() { restarted <- pool.Restart(ctx) }()
	eventually(t, func() bool { return len(pool.Stats().Workers) == 2 })
	cancel()
	require.ErrorIs(t, <-restarted, ctx.Err())
	eventually(t, func() bool { return len(pool.Stats().Workers) == 1 })
	assert.Equal(t, pid, pool.Stats().Workers[0].PID)
}

// A worker that ends during a slow restart is replaced at once.
func TestDeathDuringARestart(t *testing.T) {
	dir := t.TempDir()
	module, slow := filepath.Join(dir, "tasks.mjs"), filepath.Join(dir, "slow")
	writeModule(t, module, fmt.Sprintf(`
import { existsSync, renameSync } from "node:fs";
if (existsSync(%q)) {
	renameSync(%[1]q, %[1]q + ".taken");
	setInterval(() => {}, 1000);
	await new Promise(() => {});
}
export const tasks = { pid: () => process.pid };`, slow))
	pool := start(t, Node(module), func(o *Options) { o.StartTimeout = time.Hour })
	pid := pidOf(t, pool)
	writeModule(t, slow, "")
	ctx, cancel := withCancel(t)
	restarted := make(chan error, 1)
	go func() { restarted <- pool.Restart(ctx) }()
	eventually(t, func() bool { return fileExists(slow + ".taken") })
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	eventually(t, func() bool {
		_, err := pool.Execute(t.Context(), task("pid", ""))
		return err == nil
	})
	assert.Empty(t, restarted)
	cancel()
	require.ErrorIs(t, <-restarted, ctx.Err())
	assert.NotEqual(t, pid, pidOf(t, pool))
}

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// Workers are replaced again and again, and nothing is left of the old ones.
func TestGenerations(t *testing.T) { adversities(t, testGenerations) }

func testGenerations(t *testing.T, with adversity) {
	generations := uint64(60)
	if long() {
		generations = 10_000
	}
	pool, _ := startHeld(t, "framed", with.options, func(o *Options) {
		o.Workers, o.MaxCalls = 2, 1
		o.DrainTimeout, o.CancelGrace = time.Millisecond, time.Millisecond
	})
	replace := func(n uint64) {
		defer with.begin(pool)()
		for before := pool.Stats().Exits[ExitCalls]; pool.Stats().Exits[ExitCalls] < before+n; {
			_, err := pool.Execute(t.Context(), task("print", ""))
			require.NoError(t, err)
		}
	}
	settled := func() bool { // two fresh workers, and nothing of those before
		stats := pool.Stats()
		return len(stats.Workers) == 2 && stats.Workers[0].Served+stats.Workers[1].Served == 0
	}
	replace(20)
	var before selfMeasure
	eventually(t, func() bool {
		before = measureSelf(t)
		return settled()
	})
	begin := time.Now()
	replace(generations)
	took := time.Since(begin)
	var after selfMeasure
	assert.Eventually(t, func() bool {
		after = measureSelf(t)
		return settled() && after.files <= before.files && after.goroutines <= before.goroutines && after.children <= before.children
	}, 20*time.Second, 10*time.Millisecond)
	t.Logf("%d generations in %v: %+v, before %+v", generations, took, after, before)
	assert.Less(t, after.heap, before.heap+1<<20)
}

// A worker that is gone is replaced, at once if one stands by.
func TestRecovery(t *testing.T) {
	module := filepath.Join(t.TempDir(), "tasks.mjs")
	writeModule(t, module, fmt.Sprintf(sleepModule, 1))
	rounds := 2
	if long() {
		rounds = 50
	}
	for _, spare := range []int{0, 1} {
		pool := start(t, run(module), func(o *Options) { o.Spares = spare })
		var took, starts []time.Duration
		for range rounds {
			for range backoff.HealthyCalls {
				requireValue(t, "1", pool, task("v1", ""))
			}
			eventually(t, func() bool { // all are there
				ready := 0
				for _, w := range pool.Stats().Workers {
					if w.State == StateReady || w.State == StateSpare {
						ready++
					}
				}
				return ready == 1+spare
			})
			for _, w := range pool.Stats().Workers {
				if w.State == StateReady {
					require.NoError(t, syscall.Kill(w.PID, syscall.SIGKILL))
				}
			}
			begin := time.Now()
			eventually(t, func() bool {
				_, err := pool.Execute(t.Context(), task("v1", ""))
				return err == nil
			})
			took = append(took, time.Since(begin))
			begin = time.Now() // for comparison, with the same load on the machine
			another := start(t, run(module))
			starts = append(starts, time.Since(begin))
			require.NoError(t, another.Close())
		}
		slices.Sort(took)
		slices.Sort(starts)
		t.Logf("%d spare: p50 %v, min %v, max %v; a pool starts in p50 %v, min %v", spare, took[len(took)/2], took[0], took[len(took)-1], starts[len(starts)/2], starts[0])
	}
}

func TestWorkerWithMuchMemoryIsReplaced(t *testing.T) {
	if proc.ResidentSet(os.Getpid()) == 0 {
		t.Skip("not known here")
	}
	pool, _ := startHeld(t, "framed", func(o *Options) { o.MaxMemory, o.measureEvery = 1, time.Millisecond })
	assert.Positive(t, pool.Stats().Workers[0].Memory)
	pid := pidOf(t, pool)
	eventually(t, func() bool { return pidOf(t, pool) != pid })
	eventually(t, func() bool { return pool.Stats().Exits[ExitMemory] > 0 })
}
