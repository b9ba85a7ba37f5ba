package examples

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What ipc/node/MIGRATION.md says makes a server, in a folder beside the clone and an
// application.
var minimalCommands = []string{
	"cp ../go-tunnel/examples/minimal/main.go .",
	"go mod init example.com/server",
	"go mod edit -replace github.com/bluelibs/go-tunnel=../go-tunnel",
	"go mod tidy",
	"go build -o server",
	"RUNNER_TOKEN=secret ./server -dir ../app",
}

func TestMinimal(t *testing.T) {
	install(t, "runner")
	dir := t.TempDir()
	folder := filepath.Join(dir, "server")
	require.NoError(t, os.Mkdir(folder, 0o700))
	for name, target := range map[string]string{"go-tunnel": "..", "app": "runner"} {
		target, err := filepath.Abs(target)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(target, filepath.Join(dir, name)))
	}
	last := len(minimalCommands) - 1
	for _, line := range minimalCommands[:last] {
		cmd := exec.Command("sh", "-c", line)
		cmd.Dir = folder
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", line, out)
	}

	cmd := exec.Command("sh", "-c", "exec env "+minimalCommands[last]+" -addr 127.0.0.1:0")
	cmd.Dir = folder
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		_, _ = io.Copy(io.Discard, stderr)
		assert.NoError(t, cmd.Wait(), "a graceful stop")
	})
	var origin string
	for lines := bufio.NewScanner(stderr); origin == "" && lines.Scan(); {
		if match := regexp.MustCompile(`listening on (\S+)`).FindStringSubmatch(lines.Text()); match != nil {
			origin = "http://" + match[1]
		}
	}
	require.NotEmpty(t, origin, "it says where it listens")
	url := origin + "/__runner/task/app.tasks.add"
	assert.Equal(t, `{"ok":true,"result":8}`, post(t, url, `{"input": {"a": 5, "b": 3}}`, "x-runner-token", "secret"))
	assert.Contains(t, post(t, url, ``), "UNAUTHORIZED")

	bare := exec.Command(filepath.Join(folder, "server"), "-dir", "../app", "-addr", "127.0.0.1:0")
	bare.Dir, bare.Env = folder, append(os.Environ(), "RUNNER_TOKEN=")
	said, err := bare.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, bare.Start())
	lines := bufio.NewScanner(said)
	for lines.Scan() && !strings.Contains(lines.Text(), "RUNNER_TOKEN is not set") {
	}
	assert.Contains(t, lines.Text(), "RUNNER_TOKEN is not set", "a server without a token says so")
	require.NoError(t, bare.Process.Signal(syscall.SIGTERM))
	_, _ = io.Copy(io.Discard, said)
	assert.NoError(t, bare.Wait())
}
