// Package clients_test has the clients of the protocol, Runner's and the one in Go, talk
// to every server.
package clients_test

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	tunnel "github.com/bluelibs/go-tunnel"

	"github.com/bluelibs/go-tunnel/tests/internal/runner"
	"github.com/bluelibs/go-tunnel/tests/testapp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The clients that Runner applications are built with must not notice which server they
// talk to. The exposure is among the servers to show that the script itself is right.
func TestRunnerClients(t *testing.T) {
	runner.Install(t)
	servers := make(map[string]func(*testing.T) string)
	for name, start := range testapp.Executors {
		servers[name] = func(t *testing.T) string { return testapp.Serve(t, start(t), tunnel.Config{}) }
	}
	// Two have the application with everything, and the plain worker takes no bytes.
	more := map[string][]string{
		"exposure": {"typed", "bytes"}, "runner": {"typed", "bytes", "strict"},
		"standalone": {"bytes", "strict"}, "module": {"bytes", "strict"},
	}
	servers["exposure"] = func(t *testing.T) string { return testapp.StartExposure(t, map[string]any{"app": testapp.FullApp}) }
	servers["runner"] = func(t *testing.T) string {
		return testapp.ServeAsIs(t, testapp.RunnerApp(t, testapp.FullApp), tunnel.Config{Tokens: []string{"secret"}})
	}
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := start(t)
			ctx, cancel := context.WithTimeout(t.Context(), runner.ScriptBound)
			defer cancel()
			args := append([]string{"clients.js", address + "/__runner", "secret"}, more[name]...)
			cmd := exec.CommandContext(ctx, "node", args...)
			cmd.Dir = runner.Dir
			cmd.WaitDelay = time.Second
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "clients.js: %s", out)
			assert.Regexp(t, `^ok [1-9][0-9]* checks\n$`, string(out))
			t.Logf("%s", out)
		})
	}
}
