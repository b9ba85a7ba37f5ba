package ipc

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// safeBuffer is a bytes.Buffer for several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// Output passes on what workers print as it is, and the log has nothing of it.
func TestRawOutput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tasks.mjs")
	writeModule(t, file, `export const tasks = { print: () => { console.log("\u001b[31mred\u001b[0m"); console.error('{"level":30}'); process.stdout.write("open"); } };`)
	raw, log := &safeBuffer{}, &logBuffer{}
	pool := start(t, run(file), func(o *Options) { o.Output, o.Logger = raw, log.logger() })
	requireValue(t, "", pool, task("print", ""))
	require.NoError(t, pool.Shutdown(t.Context()))
	for _, line := range []string{"\x1b[31mred\x1b[0m\n", "{\"level\":30}\n", "open\n"} {
		assert.Contains(t, raw.b.String(), line)
	}
	assert.NotContains(t, log.String(), "stream=")
}

// A private failure is logged once, by the server, with the place in the source that a
// compiler has read.
func TestFailureHasItsSource(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"tasks.js":     "\"use strict\";exports.tasks={fail:async()=>{throw new Error(\"secret\",{cause:new Error(\"inner\")})}};\n//# sourceMappingURL=tasks.js.map\n",
		"tasks.js.map": `{"version":3,"sources":["tasks.ts"],"sourcesContent":[null],"names":[],"mappings":"` + sourceMapOf() + `"}`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	log := &logBuffer{}
	pool := start(t, Node(filepath.Join(dir, "tasks.js")), func(o *Options) { o.Logger = log.logger() })
	_, err := pool.Execute(t.Context(), task("fail", ""))
	require.ErrorContains(t, err, "secret")
	assert.ErrorContains(t, err, "tasks.ts:7")
	assert.ErrorContains(t, err, "[cause]: Error: inner")
	assert.NotContains(t, err.Error(), "node:internal")
	assert.NotContains(t, err.Error(), "[stdin]")
	require.NoError(t, pool.Shutdown(t.Context()))
	assert.NotContains(t, log.String(), "secret", "the error is for who has made the call")

	pool = start(t, Node(filepath.Join(dir, "tasks.js"), "--no-enable-source-maps"))
	_, err = pool.Execute(t.Context(), task("fail", ""))
	assert.ErrorContains(t, err, "tasks.js:1")
}

// sourceMapOf maps the only line of the file, from its beginning on, to line 7.
func sourceMapOf() string { return "AAMA" }
