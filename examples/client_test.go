package examples

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The same program calls both servers of the same application.
func TestClient(t *testing.T) {
	install(t, "runner")
	for name, base := range map[string]string{
		"go-tunnel": start(t, "runner", "-app", "runner/app.js"),
		"exposure":  startExposure(t),
	} {
		out, err := exec.Command(build(t, "client"), "-url", base).CombinedOutput()
		require.NoError(t, err, "%s: %s", name, out)
		assert.Equal(t, `tasks: [app.tasks.add app.tasks.order app.tasks.slow app.tasks.whoami]
5 + 3 = 8
out of stock, left: 3
tenant: acme
`, string(out), name)
	}
	out, err := exec.Command(build(t, "client"), "-url", "http://127.0.0.1:1").CombinedOutput()
	assert.Error(t, err)
	assert.Contains(t, string(out), "client: discovery (request ")
}

// startBound is for a server that never starts.
const startBound = time.Minute

// startExposure runs expose.js until the test ends, and returns its base URL.
func startExposure(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("node", "runner/expose.js")
	cmd.Env = append(cmd.Environ(), "PORT=0")
	var stderr strings.Builder // to be read after Wait only
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	kill := func() { _ = cmd.Process.Kill() }
	t.Cleanup(func() {
		kill()
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait() // of a process that was killed
		if t.Failed() {
			t.Logf("expose.js on stderr: %q", stderr.String())
		}
	})
	late := time.AfterFunc(startBound, kill)
	defer late.Stop()
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if _, base, ok := strings.Cut(lines.Text(), "listening on "); ok {
			return base
		}
	}
	t.Fatal("expose.js ended, or was killed, before it was ready")
	return ""
}
