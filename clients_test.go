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
	servers := map[string]func(*testing.T) string{
		"exposure": func(t *testing.T) string { return startExposure(t, map[string]any{}) },
	}
	for name, start := range executors {
		servers[name] = func(t *testing.T) string { return serve(t, start(t), tunnel.Config{}) }
	}
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := start(t)
			ctx, cancel := context.WithTimeout(t.Context(), clientsBound)
			defer cancel()
			cmd := exec.CommandContext(ctx, "node", "clients.js", address+"/__runner", "secret")
			cmd.Dir = runnerDir
			cmd.WaitDelay = time.Second
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "clients.js: %s", out)
			assert.Regexp(t, `^ok [1-9][0-9]* checks\n$`, string(out))
		})
	}
}
