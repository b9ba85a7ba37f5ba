package ipc

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/bluelibs/go-tunnel/protocol"
)

// One caller whose calls end their worker does not take the pool from the others.
func TestPoisonedCalls(t *testing.T) {
	for name, poison := range map[string]string{
		"at once":         `process.exit(1)`,
		"after a while":   `new Promise(() => setTimeout(() => process.exit(1), 20))`,
		"by an exception": `new Promise(() => setTimeout(() => { throw new Error("poison"); }))`,
	} {
		t.Run(name, func(t *testing.T) {
			module := filepath.Join(t.TempDir(), "tasks.mjs")
			writeModule(t, module, `export const tasks = { poison: () => `+poison+`, good: async () => 1 };`)
			pool := start(t, Node(module), func(o *Options) { o.Workers = 2 })
			var callers sync.WaitGroup
			var mu sync.Mutex
			outcomes := map[protocol.Code]int{}
			longest := time.Duration(0)
			good := func() {
				begin := time.Now()
				_, err := pool.Execute(background, task("good", ""))
				var code protocol.Code
				if err != nil {
					code = protocol.Public(err).Code
				}
				mu.Lock()
				defer mu.Unlock()
				outcomes[code]++
				longest = max(longest, time.Since(begin))
			}
			poison := func() { _, _ = pool.Execute(background, task("poison", "")) }
			drive := inTurn
			if long() {
				drive = inTime
			}
			calls, poisoned := drive(&callers, good, poison)
			stats := pool.Stats()
			t.Logf("%d good calls, %d poisoned: %v, the longest took %v; %d crashes", calls, poisoned, outcomes, longest, stats.Exits[ExitCrash])
			assert.Greater(t, outcomes[""]*821, 700*calls)
			assert.Positive(t, stats.Exits[ExitCrash])
			for code := range outcomes {
				assert.Contains(t, []protocol.Code{"", protocol.CodeWorkerCrashed, protocol.CodeWorkerUnavailable}, code)
			}
		})
	}
}

// inTurn has two callers with one call each at a time, however fast the machine is, and a
// poisoned call for every 27 good ones.
func inTurn(callers *sync.WaitGroup, good, poison func()) (calls, poisoned int) {
	const each, between = 216, 27
	var left atomic.Int64
	for range 2 {
		callers.Go(func() {
			for range each {
				good()
				if left.Add(1)%between == 0 {
					callers.Go(poison)
				}
			}
		})
	}
	callers.Wait()
	return 2 * each, 2 * each / between
}

// inTime has so many good calls that 821 of them come in 15 s, beside a poisoned one 5 times
// a second, which a slow machine has fewer answers to.
func inTime(callers *sync.WaitGroup, good, poison func()) (calls, poisoned int) {
	const between, poisonEach, duration = 15 * time.Second / 821, 200 * time.Millisecond, 15 * time.Second
	over := make(chan struct{})
	callers.Go(func() {
		for tick := time.NewTicker(poisonEach); ; {
			poison()
			poisoned++
			select {
			case <-over:
				return
			case <-tick.C:
			}
		}
	})
	begin := time.Now()
	for tick := time.NewTicker(between); time.Since(begin) < duration; <-tick.C {
		callers.Go(good)
		calls++
	}
	close(over)
	callers.Wait()
	return calls, poisoned
}
