package tunnel_test

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	tunnel "github.com/bluelibs/go-tunnel"
)

const clientsBound = 2 * time.Minute

// The clients that Runner applications are built with must not notice which server they
// talk to. The exposure is among the servers to show that the script itself is right.
func TestRunnerClients(t *testing.T) {
	npmInstall(t)
	servers := make(map[string]func(*testing.T) string)
	for name, start := range executors {
		servers[name] = func(t *testing.T) string { return serve(t, start(t), tunnel.Config{}) }
	}
	// Two have the application with everything, and the plain worker takes no bytes.
	more := map[string][]string{
		"exposure": {"typed", "bytes"}, "runner": {"typed", "bytes", "strict"},
		"standalone": {"bytes", "strict"}, "module": {"bytes", "strict"},
	}
	servers["exposure"] = func(t *testing.T) string { return startExposure(t, map[string]any{"app": fullApp}) }
	servers["runner"] = func(t *testing.T) string {
		return serveAsIs(t, runnerApp(t, fullApp), tunnel.Config{Tokens: []string{"secret"}})
	}
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := start(t)
			ctx, cancel := context.WithTimeout(t.Context(), clientsBound)
			defer cancel()
			args := append([]string{"clients.js", address + "/__runner", "secret"}, more[name]...)
			cmd := exec.CommandContext(ctx, "node", args...)
			cmd.Dir = runnerDir
			cmd.WaitDelay = time.Second
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "clients.js: %s", out)
			assert.Regexp(t, `^ok [1-9][0-9]* checks\n$`, string(out))
			t.Logf("%s", out)
		})
	}
}
