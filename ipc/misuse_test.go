package ipc

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// requireSame holds that what is done does not end the pool's worker.
func requireSame(t *testing.T, pool *Pool, do func()) {
	t.Helper()
	pid := pidOf(t, pool)
	do()
	require.Equal(t, pid, pidOf(t, pool), "the worker has ended")
}

// A caller's input may be as deep as a value can be: what a task puts around it fails
// its call, and no other one.
func TestResultThatIsTooDeep(t *testing.T) {
	pool := startModule(t, "misuse.mjs")
	requireSame(t, pool, func() {
		_, err := pool.Execute(t.Context(), task("wrap", strings.Repeat("[", 1001)+strings.Repeat("]", 1001)))
		assert.ErrorContains(t, err, "nested too deep")
	})
}
