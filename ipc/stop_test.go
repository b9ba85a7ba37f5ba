package ipc

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
	"github.com/bluelibs/go-tunnel/protocol"
)

// disposing is a module whose dispose writes down that it has begun, and that it is over
// when a file says so.
const disposing = `
import { existsSync, appendFileSync } from "node:fs";
const dir = DIR;
const called = () => appendFileSync(dir + "/log", "called ");
export const tasks = {
  hang: () => (called(), new Promise(() => {})),
  busy: () => (called(), new Promise(() => setInterval(() => {}, 1000))),
};
export async function dispose() {
  appendFileSync(dir + "/log", "begun ");
  while (!existsSync(dir + "/release")) await new Promise((r) => setTimeout(r, 5));
  appendFileSync(dir + "/log", "over");
}`

func startDisposing(t *testing.T, change func(*Options)) (pool *Pool, dir string, log *logBuffer) {
	t.Helper()
	dir, log = t.TempDir(), &logBuffer{}
	file := filepath.Join(dir, "tasks.mjs")
	writeModule(t, file, "const DIR = "+quoteJS(dir)+";\n"+disposing)
	pool = start(t, run(file), func(o *Options) { o.Logger = log.logger() }, change)
	return pool, dir, log
}

func written(dir string) string {
	text, _ := os.ReadFile(filepath.Join(dir, "log"))
	return string(text)
}

// What dispose needs is up to StopTimeout, and the signal at half of it does not cut it.
func TestDisposeHasStopTimeout(t *testing.T) {
	pool, dir, log := startDisposing(t, func(o *Options) { o.StopTimeout = time.Minute })
	stopped := make(chan error, 1)
	go func() { stopped <- pool.Shutdown(context.Background()) }()
	eventually(t, func() bool { return written(dir) == "begun " })
	for _, worker := range pool.Stats().Workers {
		require.NoError(t, syscall.Kill(-worker.PID, syscall.SIGTERM))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "release"), nil, 0o600))
	require.NoError(t, <-stopped)
	assert.Equal(t, "begun over", written(dir))
	assert.NotContains(t, log.String(), "StopTimeout")
}

// One that takes longer is cut, and the log says so.
func TestDisposeIsCut(t *testing.T) {
	pool, dir, log := startDisposing(t, func(o *Options) { o.StopTimeout = 500 * time.Millisecond })
	require.NoError(t, pool.Shutdown(t.Context()))
	assert.NotContains(t, written(dir), "over")
	assert.Regexp(t, `level=WARN msg="ipc: worker ended".*reason=stop.*it had not ended within Options.StopTimeout and was killed \(500ms\)`, log.String())
}

// A call that never ends does not keep an application from disposing: neither one that
// nothing can bring an answer to, nor one that goes on until the signal.
func TestDisposeDespiteACall(t *testing.T) {
	for _, id := range []string{"hang", "busy"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			pool, dir, log := startDisposing(t, func(o *Options) { o.StopTimeout = 8 * time.Second })
			require.NoError(t, os.WriteFile(filepath.Join(dir, "release"), nil, 0o600))
			ctx, cancel := withCancel(t)
			failed := make(chan error, 1)
			go func() {
				_, err := pool.Execute(ctx, task(id, ""))
				failed <- err
			}()
			eventually(t, func() bool { return written(dir) == "called " })
			cancel()
			require.ErrorIs(t, <-failed, context.Canceled)
			require.NoError(t, pool.Shutdown(t.Context()))
			assert.Equal(t, "called begun over", written(dir))
			assert.NotContains(t, log.String(), "was killed")
		})
	}
}

// A worker that wants no more calls is replaced at once, and its end bounded.
func TestWorkerThatDrainsItself(t *testing.T) {
	library, err := filepath.Abs("node")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "worker.js")
	writeModule(t, file, `
const listener = require(`+quoteJS(library)+`).createWorkerListener({
  tasks: { drain: () => void listener.drain(), pid: () => process.pid },
  dispose: () => new Promise(() => setInterval(() => {}, 1000)),
});`)
	log := &logBuffer{}
	pool := start(t, Options{Command: []string{"node", file}}, func(o *Options) { o.Logger, o.StopTimeout = log.logger(), 300*time.Millisecond })
	before := pidOf(t, pool)
	requireValue(t, "", pool, task("drain", ""))
	eventually(t, func() bool { return log.has("was killed") })
	eventually(t, func() bool { return pool.Stats().Workers[0].PID != before && pool.Ready() })
	requireValue(t, "", pool, task("drain", ""))
}

// A worker whose callers reach nothing says so.
func TestWorkerThatExposesNothing(t *testing.T) {
	for source, want := range map[string]bool{
		"export const tasks = {};":                  true,
		"export const tasks = new Map();":           true,
		"export const events = { a: () => {} };":    false,
		"export const tasks = { a: () => {} };":     false,
		"export const runtime = { tasks: {}, x: 1}": true,
	} {
		t.Run(source, func(t *testing.T) {
			log := &logBuffer{}
			file := filepath.Join(t.TempDir(), "tasks.mjs")
			writeModule(t, file, source)
			pool := start(t, run(file), func(o *Options) { o.Logger = log.logger() })
			require.NoError(t, pool.Close()) // all was logged
			assert.Equal(t, want, log.has(`level=WARN msg="ipc: the worker exposes nothing`), log.String())
		})
	}
}

// What a hello says that nobody uses, or that does not belong to this server, is told at start.
func TestHelloWarnings(t *testing.T) {
	const schemas, package0 = "the module has schemas", "another version of @bluelibs/tunnel-worker"
	for name, c := range map[string]struct {
		hello, want string
		onSchemas   func(protocol.Schemas) error
	}{
		"plain":            {hello: `"version":"` + wire.Package + `"`},
		"no package":       {hello: `"auth":false`},
		"another version":  {hello: `"version":"9.9.9"`, want: package0},
		"schemas":          {hello: `"schemas":{"a":{}}`, want: schemas},
		"schemas are used": {hello: `"schemas":{"a":{}}`, onSchemas: func(protocol.Schemas) error { return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			log := &logBuffer{}
			pool, err := startAnnounced(t, `{"type":"hello","wire":1,"tasks":["a"],`+c.hello+`}`, func(o *Options) {
				o.Logger, o.OnSchemas = log.logger(), c.onSchemas
			})
			require.NoError(t, err)
			require.NoError(t, pool.Close()) // all was logged
			for _, warning := range []string{schemas, package0} {
				assert.Equal(t, warning == c.want, log.has(warning), "%s: %s", warning, log.String())
			}
		})
	}
}
