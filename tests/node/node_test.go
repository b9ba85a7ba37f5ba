// Package node_test runs the tests of the worker's side, which are in JavaScript.
package node_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/tests/internal/runner"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Each file of tests is run by Node.js's own runner. It is started from here since the
// tests want the same npm packages as those in Go.
func TestNodePackage(t *testing.T) {
	runner.Install(t)
	files, err := filepath.Glob("../../ipc/node/test/*.test.js")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".test.js"), func(t *testing.T) {
			t.Parallel()
			out, err := exec.CommandContext(t.Context(), "node", "--test", file).CombinedOutput()
			require.NoError(t, err, string(out))
			assert.Regexp(t, `(?m)^. tests [1-9]`, string(out), "the file has tests")
		})
	}
}
