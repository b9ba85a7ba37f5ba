package ipc

import (
	"fmt"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A result of 100 MB passes by default, within the memory that Options.MaxAnswer names,
// and leaves nothing behind.
func TestLargeResult(t *testing.T) {
	const size = 100_000_000
	file := filepath.Join(t.TempDir(), "tasks.mjs")
	writeModule(t, file, `export const tasks = { big: (size) => "x".repeat(size), small: () => 1 };`)
	pool := start(t, run(file))
	runtime.GC()
	before := systemMemory()
	for range 3 {
		reply, err := pool.Execute(t.Context(), task("big", fmt.Sprint(size)))
		require.NoError(t, err)
		require.Len(t, reply.Value, size+2)
		runtime.GC()
	}
	t.Logf("%d MiB more of the system's memory", (systemMemory()-before)>>20)
	assert.Less(t, systemMemory()-before, int64(3*size+64<<20))
	_, err := pool.Execute(t.Context(), task("big", fmt.Sprint(140<<20)))
	require.ErrorContains(t, err, "Options.MaxAnswer is 134217728")
	requireValue(t, "1", pool, task("small", ""))
}
