package examples

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// deployed is the server of examples/deploy while it runs.
type deployed struct {
	origin, admin string // host and port
	process       *os.Process
	ended         chan error // gets how it ended
}

// whereItListens is in its log, in JSON or not.
var whereItListens = regexp.MustCompile(`listening.*tunnel\W+([\d.:]+).*probes\W+([\d.:]+)`)

// deploy runs the server with flags, those that do not fit this machine replaced. What
// still runs at the end of the test is killed.
func deploy(t *testing.T, server, app string, flags ...string) deployed {
	t.Helper()
	tokens := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(tokens, []byte("secret\nanother\n"), 0o600))
	return deployWith(t, server, append(flags, "-app="+app, "-tokens-file="+tokens)...)
}

// deployWith runs it with these flags, at free ports.
func deployWith(t *testing.T, server string, flags ...string) deployed {
	t.Helper()
	cmd := exec.Command(server, append(flags, "-addr=127.0.0.1:0", "-admin=127.0.0.1:0")...)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	d := deployed{process: cmd.Process, ended: make(chan error, 1)}
	gone := make(chan struct{})
	listening := make(chan []string, 1)
	go func() {
		defer close(gone)
		defer close(listening)
		for scanner := bufio.NewScanner(io.TeeReader(stderr, os.Stderr)); scanner.Scan(); {
			if match := whereItListens.FindStringSubmatch(scanner.Text()); match != nil {
				listening <- match
			}
		}
		d.ended <- cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-gone
	})
	match := <-listening
	require.NotNil(t, match, "it says where it listens")
	d.origin, d.admin = match[1], "http://"+match[2]
	return d
}

// stops waits for the end that SIGTERM brings.
func (d deployed) stops(t *testing.T) {
	t.Helper()
	select {
	case err := <-d.ended:
		assert.NoError(t, err, "a graceful stop")
	case <-time.After(startBound):
		t.Fatal("it does not stop")
	}
}

// A stop takes the server out of the balancer, serves what still comes meanwhile, then
// refuses connections, lets the request under way end, and ends the workers.
func TestDeployDrain(t *testing.T) {
	server := build(t, "deploy")
	dir := t.TempDir()
	app, began, release := filepath.Join(dir, "app.mjs"), filepath.Join(dir, "began"), filepath.Join(dir, "release")
	require.NoError(t, os.WriteFile(app, []byte(`
import { existsSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
export const tasks = {
  pid: () => process.pid,
  env: () => Object.keys(process.env),
  hold: async ({ began, release }) => {
    writeFileSync(began, "");
    while (!existsSync(release)) await sleep(10);
    return "held";
  },
};`), 0o600))
	for _, name := range []string{"TUNNEL_TEST_PASSWORD", "APP_TEST", "TUNNEL_TEST_URL", "TUNNEL_MORE_A"} {
		t.Setenv(name, "x")
	}
	d := deploy(t, server, app, "-drain-delay=3s", "-drain-timeout=50s", "-env=TUNNEL_TEST_URL,TUNNEL_MORE_*")
	base := "http://" + d.origin + "/__runner/task/"
	require.Equal(t, http.StatusOK, status(d.admin+"/readyz"))
	out, err := exec.Command(server, "-check", "-admin", strings.TrimPrefix(d.admin, "http://")).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Error(t, exec.Command(server, "-check", "-admin", "127.0.0.1:1").Run())
	env := post(t, base+"env", ``, "x-runner-token", "secret")
	for _, name := range []string{"PATH", "APP_TEST", "TUNNEL_TEST_URL", "TUNNEL_MORE_A"} {
		assert.Contains(t, env, `"`+name+`"`)
	}
	assert.NotContains(t, env, "TUNNEL_TEST_PASSWORD")
	res, err := http.Get(d.admin + "/metrics")
	require.NoError(t, err)
	metrics, err := io.ReadAll(res.Body)
	require.NoError(t, errors.Join(err, res.Body.Close()))
	assert.Regexp(t, `(?m)^tunnel_pool_queue_wait_seconds_sum [0-9.e+-]+$`, string(metrics))

	held := make(chan string, 1)
	go func() {
		defer close(held)
		held <- post(t, base+"hold", `{"input": {"began": "`+began+`", "release": "`+release+`"}}`, "x-runner-token", "secret")
	}()
	exists := func() bool { _, err := os.Stat(began); return err == nil }
	require.Eventually(t, exists, startBound, 10*time.Millisecond)
	require.NoError(t, d.process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool { return status(d.admin+"/readyz") == http.StatusServiceUnavailable }, startBound, 5*time.Millisecond)
	assert.Contains(t, post(t, base+"pid", ``, "x-runner-token", "secret"), `"ok":true`, "while balancers learn of it")
	refuses := func() bool { return status("http://"+d.origin) == 0 }
	require.Eventually(t, refuses, startBound, 10*time.Millisecond)
	assert.Equal(t, http.StatusOK, status(d.admin+"/healthz"), "alive until the end")
	require.NoError(t, os.WriteFile(release, nil, 0o600))
	assert.Equal(t, `{"ok":true,"result":"held"}`, <-held)
	d.stops(t)
}

// A reload switches to the version that a symbolic link points to now, and to the tokens
// that the file has now. Until then there is nothing of either.
func TestDeployReload(t *testing.T) {
	server := build(t, "deploy")
	root := t.TempDir()
	tokens, link := filepath.Join(root, "tokens"), filepath.Join(root, "current")
	app := `
import { readFileSync } from "node:fs";
import { name } from "./name.mjs";
export const tasks = {
  version: () => name + " " + readFileSync("name.txt"),
  later: async () => (await import("./later.mjs")).name,
};`
	release := func(name string) {
		folder := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Join(folder, "dist"), 0o700))
		for file, content := range map[string]string{
			"dist/app.mjs": app, "dist/name.mjs": "export const name = '" + name + "'", "dist/later.mjs": "export const name = '" + name + "'",
			"name.txt": name,
		} {
			require.NoError(t, os.WriteFile(filepath.Join(folder, file), []byte(content), 0o600))
		}
		require.NoError(t, os.Symlink(folder, link+"-new"))
		require.NoError(t, os.Rename(link+"-new", link))
	}
	rotate := func(now string) { require.NoError(t, os.WriteFile(tokens, []byte(now), 0o600)) }
	release("v1")
	rotate("old")
	d := deployWith(t, server, "-dir="+link, "-app=dist/app.mjs", "-tokens-file="+tokens)
	call := func(task, token string) string {
		return post(t, "http://"+d.origin+"/__runner/task/"+task, ``, "x-runner-token", token)
	}
	becomes := func(task, token, want string) {
		require.Eventually(t, func() bool { return strings.Contains(call(task, token), want) }, startBound, 10*time.Millisecond, want)
	}
	require.Contains(t, call("version", "old"), `"v1 v1"`)

	release("v2")
	rotate("new")
	assert.Contains(t, call("later", "old"), `"v1"`, "of the version that the worker began with")
	assert.Contains(t, call("version", "new"), "UNAUTHORIZED")
	require.NoError(t, d.process.Signal(syscall.SIGHUP))
	becomes("version", "new", `"v2 v2"`)
	assert.Contains(t, call("version", "old"), "UNAUTHORIZED")

	rotate("\ufeffmarked\r\nsecond\r\n") // as some editors write it
	require.NoError(t, d.process.Signal(syscall.SIGHUP))
	becomes("version", "marked", `"v2 v2"`)
	assert.Contains(t, call("version", "second"), `"v2 v2"`)

	rotate("")
	release("v3")
	require.NoError(t, d.process.Signal(syscall.SIGHUP))
	becomes("version", "marked", `"v3 v3"`)
}

// Without a file of tokens the workers decide, and their folder is that of the module.
func TestDeployAuthenticate(t *testing.T) {
	dir := t.TempDir()
	app := filepath.Join(dir, "app.mjs")
	require.NoError(t, os.WriteFile(app, []byte(`
export const authenticate = ({ headers }) => headers["x-key"] === "good" || null;
export const tasks = { folder: () => process.cwd(), title: () => process.title, hang: () => new Promise(() => {}) };`), 0o600))
	d := deployWith(t, build(t, "deploy"), "-app="+app, "-task-timeout=100ms", "-flags=--title=deployed --no-warnings")
	base := "http://" + d.origin + "/__runner/task/"
	real, err := filepath.EvalSymlinks(dir)
	require.NoError(t, err)
	assert.Equal(t, `{"ok":true,"result":"`+real+`"}`, post(t, base+"folder", ``, "x-key", "good"))
	assert.Equal(t, `{"ok":true,"result":"deployed"}`, post(t, base+"title", ``, "x-key", "good"), "by a flag of Node.js")
	assert.Contains(t, post(t, base+"folder", ``, "x-key", "bad"), "UNAUTHORIZED")
	assert.Contains(t, post(t, base+"hang", ``, "x-key", "good"), "TASK_TIMEOUT")
}

// A terminal's SIGINT does not wait for balancers.
func TestDeployTLS(t *testing.T) {
	cert, key, client := certificate(t)
	d := deploy(t, build(t, "deploy"), "ipc/tasks.mjs", "-tls-cert="+cert, "-tls-key="+key, "-drain-delay=24h")
	expectHTTP2(t, client, "https://"+d.origin+"/__runner")
	require.NoError(t, d.process.Signal(os.Interrupt))
	d.stops(t)
}

// A server that cannot start says why, and leaves nothing behind.
func TestDeployFailures(t *testing.T) {
	server := build(t, "deploy")
	tokens := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(tokens, []byte("secret"), 0o600))
	utf16 := filepath.Join(t.TempDir(), "utf16")
	require.NoError(t, os.WriteFile(utf16, []byte("\xff\xfes\x00e\x00"), 0o600))
	for want, flags := range map[string][]string{
		"is not UTF-8":      {"-app=ipc/tasks.mjs", "-tokens-file=" + utf16},
		"open nowhere":      {"-app=ipc/tasks.mjs", "-tokens-file=nowhere"},
		"no token in":       {"-app=ipc/tasks.mjs", "-tokens-file=" + os.DevNull},
		"missing.mjs":       {"-app=missing.mjs", "-tokens-file=" + tokens},
		"missing.pem":       {"-app=ipc/tasks.mjs", "-tokens-file=" + tokens, "-tls-cert=missing.pem", "-tls-key=missing.pem", "-addr=127.0.0.1:0", "-admin=127.0.0.1:0"},
		"missing port":      {"-app=ipc/tasks.mjs", "-tokens-file=" + tokens, "-addr=nowhere", "-admin=127.0.0.1:0"},
		"not defined: -no":  {"-no"},
		"no -app: it names": {"-tokens-file=" + tokens},
	} {
		out, err := exec.Command(server, flags...).CombinedOutput()
		assert.Error(t, err, want)
		assert.Contains(t, string(out), want)
	}
}

// The log is JSON if it is asked for, and says at debug which variables do not pass.
func TestDeployLog(t *testing.T) {
	server := build(t, "deploy")
	t.Setenv("TUNNEL_TEST_PASSWORD", "never logged")
	for level, says := range map[string]bool{"info": false, "debug": true} {
		log, err := exec.Command(server, "-app=missing.mjs", "-log-json", "-log-level="+level).CombinedOutput()
		require.Error(t, err)
		for line := range strings.Lines(string(log)) {
			assert.True(t, json.Valid([]byte(line)), line)
		}
		assert.Contains(t, string(log), "missing.mjs")
		assert.Equal(t, says, strings.Contains(string(log), "TUNNEL_TEST_PASSWORD"), level)
		assert.NotContains(t, string(log), "never logged")
	}
	log, err := exec.Command(server, "-app=missing.mjs", "-log-level=debug").CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(log), "TUNNEL_TEST_PASSWORD")
}
