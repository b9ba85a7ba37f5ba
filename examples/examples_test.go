// Package examples holds the tests of the example programs.
package examples

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// program is an example that runs.
type program struct {
	base    string // URL with the base path
	try     string // the command line that it prints
	process *os.Process
}

// start builds and runs an example on a free port and returns its base URL. It is asked
// to stop at the end of the test.
func start(t *testing.T, name string, args ...string) (base string) {
	t.Helper()
	return startProgram(t, ".", name, args...).base
}

// startProgram does so in a folder.
func startProgram(t *testing.T, dir, name string, args ...string) (p program) {
	t.Helper()
	cmd := exec.Command(build(t, name), append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Dir = dir
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	p.process = cmd.Process
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		_, _ = io.Copy(io.Discard, stdout)
		assert.NoError(t, cmd.Wait(), "a graceful stop")
	})
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if base, ok := strings.CutPrefix(lines.Text(), "Listening on "); ok {
			p.base = base
		}
		if try, ok := strings.CutPrefix(lines.Text(), "  curl "); ok {
			p.try = "curl -sS " + try
			return p
		}
	}
	t.Fatal("no curl line was printed")
	return p
}

// builds has how to build each program once, and where its file is then.
var builds sync.Map

// buildDir is the folder of the programs. It outlives the tests that share them.
var buildDir string

func TestMain(m *testing.M) {
	var err error
	if buildDir, err = os.MkdirTemp("", "go-tunnel-examples"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(buildDir)
	os.Exit(code)
}

// build returns the file of an example's program.
func build(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join(buildDir, name)
	once, _ := builds.LoadOrStore(name, sync.OnceValue(func() error {
		if out, err := exec.Command("go", "build", "-o", file, "./"+name).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}))
	require.NoError(t, once.(func() error)(), name)
	return file
}

func post(t *testing.T, url, body string, header ...string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(answer)
}

func TestServers(t *testing.T) {
	for _, command := range [][]string{{"ipc"}, {"ipc", "-plain"}, {"standalone"}} {
		t.Run(strings.Join(command, " "), func(t *testing.T) {
			t.Parallel()
			base := start(t, command[0], command[1:]...)
			for path, c := range map[string]struct{ body, want string }{
				"/task/app.tasks.add":      {`{"input": {"a": 5, "b": 3}}`, `{"ok":true,"result":8}`},
				"/task/app.tasks.greet":    {`{"input": {"name": "Ada"}}`, `{"ok":true,"result":"Hello, Ada!"}`},
				"/task/app.tasks.echo":     {`{"input": [1,"two",null]}`, `{"ok":true,"result":[1,"two",null]}`},
				"/task/app.tasks.fail":     {``, `{"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}`},
				"/event/app.events.notify": {`{"payload": {"message": "hi"}}`, `{"ok":true}`},
				"/event/app.events.log":    {`{"payload": 1, "returnPayload": true}`, `{"ok":true,"result":1}`},
				"/task/other":              {``, `{"ok":false,"error":{"message":"Task other not exposed","code":"FORBIDDEN"}}`},
			} {
				assert.Equal(t, c.want, post(t, base+path, c.body, "x-runner-token", "secret"), path)
			}
			assert.Equal(t, `{"ok":false,"error":{"message":"Unauthorized","code":"UNAUTHORIZED"}}`, post(t, base+"/task/app.tasks.add", ``))
		})
	}
}

// What a server says one should try works, wherever it was started.
func TestTry(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl")
	}
	install(t, "runner")
	for _, c := range []struct{ command, want string }{
		{"ipc", `{"ok":true,"result":8}`},
		{"standalone", `{"ok":true,"result":8}`},
		{"hybrid", `{"ok":true,"result":8}`},
		{"mount", `"app.tasks.add","app.tasks.echo","app.tasks.greet"`},
		{"runner", `{"ok":true,"result":8}`},
		{"jwt", `{"ok":true,"result":""}`},
		{"upload", `"name":"hosts"`},
		{"stream", "event: tick"},
	} {
		t.Run(c.command, func(t *testing.T) {
			t.Parallel()
			command := strings.Fields(c.command)
			out, err := exec.Command("sh", "-c", startProgram(t, t.TempDir(), command[0], command[1:]...).try).CombinedOutput()
			require.NoError(t, err, string(out))
			assert.Contains(t, string(out), c.want)
		})
	}
}

func TestFlags(t *testing.T) {
	base := start(t, "ipc", "-plain", "-base-path", "/rpc", "-tasks", "app.tasks.add", "-max-body", "30", "-workers", "2")
	assert.True(t, strings.HasSuffix(base, "/rpc"))
	assert.Equal(t, `{"ok":true,"result":3}`, post(t, base+"/task/app.tasks.add", `{"input": {"a": 1, "b": 2}}`, "x-runner-token", "secret"))
	assert.Contains(t, post(t, base+"/task/app.tasks.add", `{"input": {"a": 1, "b": 2.00000}}`, "x-runner-token", "secret"), "PAYLOAD_TOO_LARGE")
	assert.Contains(t, post(t, base+"/task/app.tasks.echo", ``, "x-runner-token", "secret"), "FORBIDDEN")
}

// The oldest kind of worker, which knows nothing but tasks, must work for ever.
func TestHandWrittenWorker(t *testing.T) {
	worker := filepath.Join(t.TempDir(), "worker.js")
	require.NoError(t, os.WriteFile(worker, []byte(`#!/usr/bin/env node
const readline = require('readline');

const taskHandlers = new Map();
taskHandlers.set('app.tasks.add', async (input) => {
  return input.a + input.b;
});
taskHandlers.set('app.tasks.greet', async (input) => {
  return 'Hello, ' + input.name + '!';
});

const rl = readline.createInterface({ input: process.stdin, output: process.stdout, terminal: false });
rl.on('line', async (line) => {
  const req = JSON.parse(line);
  const handler = taskHandlers.get(req.taskId);
  const result = await handler(req.input);
  console.log(JSON.stringify({ id: req.id, ok: true, result }));
});
`), 0o600))
	base := start(t, "ipc", "-plain", "-worker", worker)
	assert.Equal(t, `{"ok":true,"result":8}`, post(t, base+"/task/app.tasks.add", "{\n \"input\": {\r\n\"a\": 5, \"b\": 3}}", "x-runner-token", "secret"))
	assert.Equal(t, `{"ok":true,"result":"Hello, Ada!"}`, post(t, base+"/task/app.tasks.greet", `{"name": "Ada"}`, "x-runner-token", "secret"))
}

// A tunnel in a service of its own, behind middleware that lets streams through.
func TestMount(t *testing.T) {
	dir := t.TempDir()
	worker, release := filepath.Join(dir, "tasks.mjs"), filepath.Join(dir, "release")
	require.NoError(t, os.WriteFile(worker, []byte(`
import { existsSync } from "node:fs";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
async function* parts(release) {
  yield "first";
  while (!existsSync(release)) await sleep(10);
  yield " last";
}
export const tasks = { stream: ({ release }) => Readable.from(parts(release)) };`), 0o600))
	base := start(t, "mount", "-worker", worker)
	origin := strings.TrimSuffix(base, "/__runner")

	req, err := http.NewRequest(http.MethodPost, base+"/task/stream", strings.NewReader(`{"input": {"release": "`+release+`"}}`))
	require.NoError(t, err)
	req.Header.Set("x-runner-token", "secret")
	stream, err := (&http.Client{Timeout: startBound}).Do(req)
	require.NoError(t, err)
	defer stream.Body.Close()
	first := make([]byte, len("first"))
	_, err = io.ReadFull(stream.Body, first)
	require.NoError(t, err)
	assert.Equal(t, "first", string(first), "before there is more")
	require.NoError(t, os.WriteFile(release, nil, 0o600))
	rest, err := io.ReadAll(stream.Body)
	require.NoError(t, err)
	assert.Equal(t, " last", string(rest))

	assert.Equal(t, `{"ok":true,"result":8}`, post(t, base+"/task/app.tasks.add", `{"input": {"a": 5, "b": 3}}`, "x-runner-token", "secret"))
	assert.Equal(t, `{"ok":true,"result":8}`, post(t, origin+"/internal/rpc/task/app.tasks.add", `{"a": 5, "b": 3}`, "authorization", "Bearer internal"))
	assert.Contains(t, post(t, origin+"/internal/rpc/task/app.tasks.add", ``, "x-runner-token", "secret"), "UNAUTHORIZED")
	res, err := http.Get(origin + "/")
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Equal(t, "the service as it was\n", string(body))
}

func TestRunnerApplication(t *testing.T) {
	install(t, "runner")
	base := start(t, "runner", "-app", "runner/app.js")
	for path, c := range map[string]struct{ body, want string }{
		"/task/app.tasks.add":       {`{"input": {"a": 5, "b": 3}}`, `{"ok":true,"result":8}`},
		"/task/app.tasks.order":     {`{"input": {"item": "tea", "count": 9}}`, `{"ok":false,"error":{"message":"Only 3 of tea left\n\nRemediation: Order fewer.","code":"INTERNAL_ERROR","id":"app.errors.outOfStock","data":{"item":"tea","left":3},"httpCode":409}}`},
		"/event/app.events.ordered": {`{"payload": {"item": "tea"}}`, `{"ok":true}`},
		"/task/app.tasks.other":     {``, `{"ok":false,"error":{"message":"Task app.tasks.other not exposed","code":"FORBIDDEN"}}`},
	} {
		assert.Equal(t, c.want, post(t, base+path, c.body, "x-runner-token", "secret"), path)
	}
	due := `{"__type":"Date","value":"2030-01-02T03:04:05.678Z"}`
	assert.Equal(t, `{"ok":true,"result":{"item":"tea","count":1,"due":`+due+`,"note":{"__type":"Undefined","value":null}}}`,
		post(t, base+"/task/app.tasks.order", `{"input": {"item": "tea", "count": 1, "due": `+due+`}}`, "x-runner-token", "secret"))
	assert.Equal(t, `{"ok":true,"result":{"tenant":"acme","requestId":"r-1","request":"POST /__runner/task/app.tasks.whoami"}}`,
		post(t, base+"/task/app.tasks.whoami", ``, "x-runner-token", "secret", "x-runner-request-id", "r-1", "x-runner-context", `{"app.tenant":"\"acme\""}`))
}

// install installs the npm packages of the application in a folder.
func install(t *testing.T, dir string, flags ...string) {
	t.Helper()
	out, err := exec.Command("npm", append([]string{"ci", "--prefix", dir}, flags...)...).CombinedOutput()
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	t.Skipf("the packages cannot be installed: %v\n%s", err, out)
}
