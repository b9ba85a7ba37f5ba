package examples

import (
	"bufio"
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

// deploy runs the server with flags, those that do not fit this machine replaced. What
// still runs at the end of the test is killed.
func deploy(t *testing.T, server, app string, flags ...string) deployed {
	t.Helper()
	tokens := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(tokens, []byte("secret\nanother\n"), 0o600))
	cmd := exec.Command(server, append(flags, "-addr=127.0.0.1:0", "-admin=127.0.0.1:0", "-app="+app, "-tokens-file="+tokens)...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	d := deployed{process: cmd.Process, ended: make(chan error, 1)}
	gone := make(chan struct{})
	lines := make(chan string, 1)
	go func() {
		defer close(gone)
		defer close(lines)
		scanner := bufio.NewScanner(stdout)
		for scanner.Scan() {
			select {
			case lines <- scanner.Text():
			default:
			}
		}
		d.ended <- cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-gone
	})
	match := regexp.MustCompile(`tunnel listens on (\S+), probes on (\S+)`).FindStringSubmatch(<-lines)
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
	t.Setenv("TUNNEL_TEST_PASSWORD", "not for workers")
	d := deploy(t, server, app, "-drain-delay=3s", "-drain-timeout=50s")
	base := "http://" + d.origin + "/__runner/task/"
	require.Equal(t, http.StatusOK, status(d.admin+"/readyz"))
	out, err := exec.Command(server, "-check", "-admin", strings.TrimPrefix(d.admin, "http://")).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Error(t, exec.Command(server, "-check", "-admin", "127.0.0.1:1").Run())
	env := post(t, base+"env", ``, "x-runner-token", "secret")
	assert.Contains(t, env, `"PATH"`)
	assert.NotContains(t, env, "TUNNEL_TEST_PASSWORD")
	res, err := http.Get(d.admin + "/metrics")
	require.NoError(t, err)
	metrics, err := io.ReadAll(res.Body)
	require.NoError(t, errors.Join(err, res.Body.Close()))
	assert.Regexp(t, `(?m)^tunnel_pool_queue_wait_seconds_sum [0-9.e+-]+$`, string(metrics))

	pid := post(t, base+"pid", ``, "x-runner-token", "another")
	require.NoError(t, d.process.Signal(syscall.SIGHUP))
	require.Eventually(t, func() bool { return post(t, base+"pid", ``, "x-runner-token", "secret") != pid }, startBound, 10*time.Millisecond)

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

func TestDeployTLS(t *testing.T) {
	cert, key, client := certificate(t)
	d := deploy(t, build(t, "deploy"), "ipc/tasks.mjs", "-tls-cert="+cert, "-tls-key="+key, "-drain-delay=0s")
	expectHTTP2(t, client, "https://"+d.origin+"/__runner")
	require.NoError(t, d.process.Signal(syscall.SIGTERM))
	d.stops(t)
}

// A server that cannot start says why, and leaves nothing behind.
func TestDeployFailures(t *testing.T) {
	server := build(t, "deploy")
	tokens := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(tokens, []byte("secret"), 0o600))
	for want, flags := range map[string][]string{
		"-tokens-file":     {"-app=ipc/tasks.mjs"},
		"missing.mjs":      {"-app=missing.mjs", "-tokens-file=" + tokens},
		"missing.pem":      {"-app=ipc/tasks.mjs", "-tokens-file=" + tokens, "-tls-cert=missing.pem", "-tls-key=missing.pem", "-addr=127.0.0.1:0", "-admin=127.0.0.1:0"},
		"missing port":     {"-app=ipc/tasks.mjs", "-tokens-file=" + tokens, "-addr=nowhere", "-admin=127.0.0.1:0"},
		"not defined: -no": {"-no"},
	} {
		out, err := exec.Command(server, flags...).CombinedOutput()
		assert.Error(t, err, want)
		assert.Contains(t, string(out), want)
	}
}
