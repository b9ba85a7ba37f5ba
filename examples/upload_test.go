package examples

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The same program uploads to itself, to a task in Node.js and to one in Go.
func TestUpload(t *testing.T) {
	content := bytes.Repeat([]byte("some bytes\n"), 3<<20/11)
	file := filepath.Join(t.TempDir(), "some.iso")
	require.NoError(t, os.WriteFile(file, content, 0o600))
	base := start(t, "upload")
	addr := strings.TrimSuffix(strings.TrimPrefix(base, "http://"), "/__runner")
	out, err := exec.Command(build(t, "upload"), "-addr", addr, "-send", file).Output()
	require.NoError(t, err)
	for _, by := range []string{"node", "go"} {
		assert.Contains(t, string(out), fmt.Sprintf("%s: some.iso, %d bytes, sha256 %x\n", by, len(content), sha256.Sum256(content)))
	}
}
