package ipc

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/serve"
)

// startModule starts a pool of workers that run a module of testdata by the runtime under
// test.
func startModule(t testing.TB, file string, change ...func(*Options)) *Pool {
	t.Helper()
	return start(t, run(filepath.Join("testdata", file)), change...)
}

func TestModule(t *testing.T) {
	pool := startModule(t, "noisy.mjs")
	assert.Equal(t, []string{"nothing", "upper"}, pool.List().IDs(protocol.KindEvent))
	assert.Contains(t, pool.List().IDs(protocol.KindTask), "environment")
	requireValue(t, `"not seen"`, pool, task("environment", ""))
	requireValue(t, `"é`+"\u2028"+`😀"`, pool, task("line", `"é`+"\u2028"+`😀"`))
	requireValue(t, ``, pool, task("line", ""))
	requireValue(t, `{"a":1,"b":{"c":4}}`, pool, // names that could reach a prototype are dropped, as by Runner
		task("line", `{"a":1,"__proto__":{"x":1},"constructor":2,"b":{"\u005f_proto__":3,"prototype":[],"c":4}}`))

	_, err := pool.Execute(t.Context(), task("fail", ""))
	var e *protocol.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, `{"message":"Sold out","code":"INTERNAL_ERROR","id":"app.errors.soldOut","data":{"left":0},"httpCode":409}`, errorJSON(t, e))
	_, err = pool.Execute(t.Context(), task("secret", ""))
	assert.False(t, errorAs(err, &e), "private: %v", err)
	assert.ErrorContains(t, err, "secret")
	_, err = pool.Execute(t.Context(), task("unknown", ""))
	requireCode(t, protocol.CodeNotFound, err)

	event := &protocol.Call{Kind: protocol.KindEvent, ID: "upper", Payload: []byte(`{"name":"ann"}`), ReturnPayload: true}
	requireValue(t, `{"name":"ANN"}`, pool, event)
	event.ID = "nothing"
	requireValue(t, `{"name":"ann"}`, pool, event)
	event.ReturnPayload = false
	requireValue(t, ``, pool, event)
}

func errorAs(err error, target **protocol.Error) bool {
	e, ok := err.(*protocol.Error)
	*target = e
	return ok
}

func TestModuleAuthenticates(t *testing.T) {
	pool := startModule(t, "noisy.mjs")
	r := httptest.NewRequest(http.MethodPost, "/some/path?x=1", nil)
	_, err := pool.Authenticate(r)
	requireCode(t, protocol.CodeUnauthorized, err)
	r.Header.Set("Authorization", "forbidden")
	_, err = pool.Authenticate(r)
	requireCode(t, protocol.CodeForbidden, err)
	r.Header.Set("Authorization", "Bearer ann")
	identity, err := pool.Authenticate(r)
	require.NoError(t, err)
	value, err := json.Marshal(identity)
	require.NoError(t, err)
	assert.JSONEq(t, `{"user":"ann","path":"/some/path","x":"1"}`, string(value))
}

// printed collects what workers print, without line breaks: prints of several processes
// may fall between each other's bytes.
type printed struct {
	slog.Handler
	mu      sync.Mutex
	text    strings.Builder
	cut     bool
	dropped bool
}

func (p *printed) WithAttrs([]slog.Attr) slog.Handler { return p }

func (p *printed) Enabled(context.Context, slog.Level) bool { return true }

func (p *printed) Handle(_ context.Context, r slog.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "line" {
			p.text.WriteString(a.Value.String())
		}
		p.cut = p.cut || a.Key == "cutBytes"
		p.dropped = p.dropped || a.Key == "lines"
		return true
	})
	return nil
}

// What a worker, or a child of it, prints can neither harm an answer nor get lost unsaid.
func TestNoiseOfAModule(t *testing.T) {
	const callers, rounds, kib = 64, 50, 1024
	log := &printed{}
	pool := start(t, Node("testdata/noisy.mjs"), func(o *Options) { o.Logger = slog.New(log) })
	var all sync.WaitGroup
	all.Go(func() {
		reply, err := pool.Execute(t.Context(), task("child", fmt.Sprint(kib)))
		if assert.NoError(t, err) {
			assert.Equal(t, "0", string(reply.Value))
		}
	})
	for caller := range callers {
		all.Go(func() {
			for round := range rounds {
				n := fmt.Sprint(caller*rounds + round)
				for _, id := range []string{"line", "part"} {
					reply, err := pool.Execute(t.Context(), task(id, n))
					if assert.NoError(t, err) {
						assert.Equal(t, n, string(reply.Value))
					}
				}
			}
		})
	}
	all.Wait()
	require.NoError(t, pool.Shutdown(t.Context()))
	text := log.text.String()
	assert.False(t, log.cut)
	if log.dropped { // by a machine that had no time for this process, which the log says
		return
	}
	assert.Equal(t, kib*1023, strings.Count(text, "#"))
	text = strings.ReplaceAll(text, "#", "")
	for n := range callers * rounds {
		assert.True(t, strings.Contains(text, fmt.Sprintf("line %d.", n)), n)
		assert.True(t, strings.Contains(text, fmt.Sprintf("part %d.", n)), n)
	}
}

func TestCancelReachesTheHandler(t *testing.T) {
	log := &logBuffer{}
	pool := startModule(t, "noisy.mjs", func(o *Options) { o.Logger = log.logger() })
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := pool.Execute(ctx, task("signal", ""))
		failed <- err
	}()
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "line=waiting") }, 10*time.Second, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "aborted: Client Closed Request") }, 10*time.Second, time.Millisecond)
}

func TestModuleThatCannotBeServed(t *testing.T) {
	for name, source := range map[string]string{
		"no such file":       "",
		"a syntax error":     "export const tasks = {",
		"nothing to serve":   "export const nothing = 1;",
		"throws":             "throw new Error('broken');",
		"no function":        "export const tasks = { a: 1 };",
		"never there":        "await new Promise(() => {});",
		"ends by itself":     "process.exit(0);",
		"a wrong kind":       "export const tasks = [1];",
		"a rejected runtime": "export const runtime = Promise.reject(new Error('no database'));",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "tasks.mjs")
			if source != "" {
				require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
			}
			opts := Node(file)
			opts.Logger = discard
			pool, err := Start(t.Context(), opts)
			if !assert.ErrorContains(t, err, "before its hello") {
				require.NoError(t, pool.Close())
			}
		})
	}
}

func TestCommonJSModule(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tasks.cjs"), []byte(`module.exports = { tasks: { cwd: () => process.cwd(), flags: () => process.execArgv } };`), 0o600))
	opts := Node("tasks.cjs", "--max-old-space-size=64")
	opts.Dir, opts.Logger = dir, discard
	pool, err := Start(t.Context(), opts)
	require.NoError(t, err)
	defer pool.Close()
	requireValue(t, `["--max-old-space-size=64"]`, pool, task("flags", ""))
}

// Node.js's own permission model works for the runtime and keeps the module from files
// and programs.
func TestPermissionModel(t *testing.T) {
	flag := "--permission"
	if exec.Command("node", flag, "--eval", "0").Run() != nil {
		flag = "--experimental-permission" // before Node.js 22.13
	}
	dir := t.TempDir()
	module := filepath.Join(dir, "tasks.mjs")
	writeModule(t, module, `import { readFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
export const tasks = { read: (file) => readFileSync(file, "utf8").length > 0, spawn: () => spawnSync("true").status };`)
	pool := start(t, Node(module, flag, "--allow-fs-read="+dir+"/"))
	requireValue(t, "true", pool, task("read", strconv.Quote(module)))
	_, err := pool.Execute(t.Context(), task("read", strconv.Quote(os.Args[0])))
	require.ErrorContains(t, err, "restricted")
	_, err = pool.Execute(t.Context(), task("spawn", ""))
	require.ErrorContains(t, err, "restricted")
}

func TestWorkerOutOfMemory(t *testing.T) {
	module := filepath.Join(t.TempDir(), "tasks.mjs")
	writeModule(t, module, `export const tasks = { eat: () => { for (const all = []; ; ) all.push(new Array(1e6).fill(1.5)); }, live: () => 1 };`)
	pool := start(t, Node(module, "--max-old-space-size=16"))
	_, err := pool.Execute(t.Context(), task("eat", ""))
	requireCode(t, protocol.CodeWorkerCrashed, err)
	requireValue(t, "1", pool, task("live", ""))
}

func errorJSON(t *testing.T, e *protocol.Error) string {
	t.Helper()
	w := httptestRecorder()
	require.NoError(t, serve.WriteError(w, e, false))
	body := w.Body.String()
	return strings.TrimSuffix(strings.TrimPrefix(body, `{"ok":false,"error":`), "}")
}
