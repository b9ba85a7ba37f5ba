package ipc

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc/internal/backoff"
	"github.com/bluelibs/go-tunnel/protocol"
)

// Workers are killed under load: every call has exactly one outcome, none is run twice
// that may not be, and none fails that may.
func TestKillStorm(t *testing.T) {
	duration := time.Second
	if long() {
		duration = 30 * time.Second
	}
	adversities(t, func(t *testing.T, with adversity) {
		for _, idempotent := range []bool{false, true} {
			testKillStorm(t, with, idempotent, duration)
		}
	})
}

func testKillStorm(t *testing.T, with adversity, idempotent bool, duration time.Duration) {
	t.Run(fmt.Sprintf("idempotent %v", idempotent), func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "answers")
		pool := start(t, heldOptions("framed", file), with.options, func(o *Options) {
			o.Workers = 4
			if idempotent {
				o.Idempotent = []string{"record"}
			}
		})
		defer with.begin(pool)()
		var mu sync.Mutex
		outcomes := map[string]error{}
		var answered, kills atomic.Int64
		const nobody = 1 << 62
		var begun [64]atomic.Int64 // the kills before the call that a caller has under way
		calm := func() bool {
			for i := range begun {
				if begun[i].Load() < kills.Load() {
					return !idempotent // two kills are held against a call
				}
			}
			return true
		}
		var callers sync.WaitGroup
		over := make(chan struct{})
		for caller := range begun {
			callers.Go(func() {
				defer begun[caller].Store(nobody)
				for n := 0; ; n++ {
					select {
					case <-over:
						return
					default:
					}
					begun[caller].Store(kills.Load())
					key := fmt.Sprintf("%d %d", caller, n)
					reply, err := pool.Execute(background, task("record", `"`+key+`"`))
					if err == nil {
						answered.Add(1)
						assert.Equal(t, `"`+key+`"`, string(reply.Value))
					}
					mu.Lock()
					outcomes[key] = err
					mu.Unlock()
				}
			})
		}
		killWorkers(pool, duration, &answered, &kills, calm)
		close(over)
		callers.Wait()

		runs := map[string]int{}
		text, err := os.ReadFile(file + ".record")
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			runs[strings.Trim(line, "\"\n")]++
		}
		failed, twice := 0, 0
		for id, err := range outcomes {
			if runs[id] > 1 {
				twice++
			}
			if err != nil {
				failed++
				requireCode(t, protocol.CodeWorkerCrashed, err)
			} else {
				assert.Positive(t, runs[id])
			}
		}
		t.Logf("%d kills, %d calls, %d failed, %d run twice, %d replays", kills.Load(), len(outcomes), failed, twice, pool.Stats().Retries)
		if idempotent {
			assert.Zero(t, failed)
		} else {
			assert.Zero(t, twice)
		}
		assert.Positive(t, kills.Load())
	})
}

// killWorkers kills a worker each 0.1 s, as long as between two kills the pool has had
// the time to answer some rounds of calls and is calm, and counts them.
func killWorkers(pool *Pool, duration time.Duration, answered, kills *atomic.Int64, calm func() bool) {
	const between = 256
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	next := int64(0)
	for end := time.Now().Add(duration); kills.Load() == 0 || time.Now().Before(end); {
		<-tick.C
		workers := slices.DeleteFunc(pool.Stats().Workers, func(w WorkerStats) bool { return w.State != StateReady })
		if answered.Load() < next || len(workers) == 0 || !calm() {
			continue
		}
		if syscall.Kill(workers[rand.N(len(workers))].PID, syscall.SIGKILL) == nil {
			kills.Add(1)
			next = answered.Load() + between
		}
	}
}

// What a worker has answered before its end arrives.
func TestLastAnswers(t *testing.T) {
	generations := 50
	if long() {
		generations = 10_000
	}
	count := filepath.Join(t.TempDir(), "count")
	pool := start(t, Options{Command: []string{os.Args[0]}, Env: append(os.Environ(), "IPC_TEST_WORKER=answers many, then exits", "IPC_TEST_COUNT="+count), Wire: PlainWire})
	got := 0
	for range generations {
		for n := 0; n < backoff.HealthyCalls; {
			_, err := pool.Execute(t.Context(), task("any", ""))
			if err == nil { // else it was given to one that was about to end
				n++
				got++
			}
		}
	}
	given, err := os.ReadFile(count)
	require.NoError(t, err)
	assert.Equal(t, len(given)*backoff.HealthyCalls, got)
	assert.Len(t, given, generations)
}

// Of ten times as many calls as can be served, the others are refused at once: most of
// them before another call has ended, which could have made room for them.
func TestOverload(t *testing.T) {
	duration := time.Second
	if long() {
		duration = 30 * time.Second
	}
	pool, _ := startHeld(t, "framed", func(o *Options) {
		o.Concurrency, o.MaxQueue, o.QueueTimeout = 4, 16, time.Second
	})
	before := systemMemory()
	var mu sync.Mutex
	var refused, served []time.Duration
	var ended atomic.Int64 // calls that were served
	atOnce := 0
	var callers sync.WaitGroup
	end := time.Now().Add(duration)
	for range 200 { // ten for each of 20 places, calls of 5 ms
		callers.Go(func() {
			for time.Now().Before(end) {
				begin, before := time.Now(), ended.Load()
				_, err := pool.Execute(background, task("record", "1"))
				took := time.Since(begin)
				none := ended.Load() == before
				mu.Lock()
				if err == nil {
					ended.Add(1)
					served = append(served, took)
				} else {
					if none {
						atOnce++
					}
					requireCode(t, protocol.CodeOverloaded, err)
					refused = append(refused, took)
				}
				mu.Unlock()
				if err != nil {
					time.Sleep(20 * time.Millisecond) // as a polite client would
				}
			}
		})
	}
	callers.Wait()
	slices.Sort(refused)
	slices.Sort(served)
	require.NotEmpty(t, refused)
	assert.Greater(t, 2*atOnce, len(refused), "of %d refusals so many came before another call had ended", len(refused))
	t.Logf("%d served, p99 %v, max %v; %d refused, p99 %v, max %v", len(served), p99(served), served[len(served)-1],
		len(refused), p99(refused), refused[len(refused)-1])
	more := systemMemory() - before
	t.Logf("%d MiB more memory", more>>20)
	assert.Less(t, more, int64(64<<20))
	stats := pool.Stats()
	assert.EqualValues(t, len(refused), stats.Refused.QueueFull+stats.Refused.QueueTimeout)
}

// A call that has waited for too long is refused as that, not as one too many.
func TestLateRefusal(t *testing.T) {
	pool, answers := startHeld(t, "framed", func(o *Options) { o.Concurrency, o.QueueTimeout = 1, time.Millisecond })
	var first sync.WaitGroup
	first.Go(func() { _, _ = pool.Execute(background, task("held", "")) })
	eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 1 })
	_, err := pool.Execute(background, task("held", ""))
	requireCode(t, protocol.CodeOverloaded, err)
	assert.Equal(t, Refusals{QueueTimeout: 1}, pool.Stats().Refused)
	answers()
	first.Wait()
}

// A caller that leaves at the moment when it gets a place gives it back.
func TestPlacesOfCallersWhoLeave(t *testing.T) {
	pool, _ := startHeld(t, "framed", func(o *Options) { o.Concurrency = 1 })
	for range 100 {
		ctx, leave := withCancel(t)
		var both sync.WaitGroup
		both.Go(func() {
			_, err := pool.Execute(background, task("record", "1"))
			assert.NoError(t, err)
			leave() // when the place is the other's, who may not know it yet
		})
		both.Go(func() { _, _ = pool.Execute(ctx, task("record", "1")) })
		both.Wait()
		require.False(t, t.Failed())
	}
	eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 0 })
}

// However many calls a worker may have at once, their inputs together have a bound.
func TestInputsAtOneWorker(t *testing.T) {
	pool, answers := startHeld(t, "framed", func(o *Options) { o.Concurrency = 2 })
	input := `"` + strings.Repeat("x", 40<<20) + `"`
	var calls sync.WaitGroup
	for range 2 {
		calls.Go(func() {
			_, err := pool.Execute(background, task("held", input))
			assert.NoError(t, err)
		})
	}
	eventually(t, func() bool { return pool.Stats().Queued == 1 })
	assert.Equal(t, 1, pool.Stats().Workers[0].InFlight)
	answers()
	calls.Wait()
}
