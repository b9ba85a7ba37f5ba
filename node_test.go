package tunnel_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The tests of the worker's side are run by Node.js's own runner. They are started
// from here since they share the npm packages of this package's tests.
func TestNodePackage(t *testing.T) {
	npmInstall(t)
	tests, err := filepath.Glob("ipc/node/test/*.test.js")
	require.NoError(t, err)
	require.NotEmpty(t, tests)
	out, err := exec.CommandContext(t.Context(), "node", append([]string{"--test"}, tests...)...).CombinedOutput()
	require.NoError(t, err, string(out))
}
