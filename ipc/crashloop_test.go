package ipc

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/bluelibs/go-tunnel/protocol"
)

// One caller whose calls end their worker does not take the pool from the others.
func TestPoisonedCalls(t *testing.T) {
	const between, poisonEach = 15 * time.Second / 821, 200 * time.Millisecond
	duration := 3 * time.Second
	if long() {
		duration = 15 * time.Second
	}
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
			calls, poisoned := 0, 0
			over := make(chan struct{})
			callers.Go(func() {
				for tick := time.NewTicker(poisonEach); ; poisoned++ {
					_, _ = pool.Execute(background, task("poison", ""))
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
			stats := pool.Stats()
			t.Logf("%d good calls, %d poisoned: %v, the longest took %v; %d crashes", calls, poisoned, outcomes, longest, stats.Exits[ExitCrash])
			assert.Greater(t, outcomes[""]*821, 700*calls)
			for code := range outcomes {
				assert.Contains(t, []protocol.Code{"", protocol.CodeWorkerCrashed, protocol.CodeWorkerUnavailable}, code)
			}
		})
	}
}
