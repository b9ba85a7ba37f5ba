package examples

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The command lines in Markdown files do what they say. A server of one block is what the
// next ones call, and a comment under a call is its answer.
func TestCommandLines(t *testing.T) {
	blocks := regexp.MustCompile("(?sm)^```sh\n(.*?)^```$")
	ran := 0
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git") {
			return filepath.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, ".md") {
			return err
		}
		t.Run(strings.TrimPrefix(path, "../"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			var origin, answer string
			for _, block := range blocks.FindAllStringSubmatch(string(text), -1) {
				if block[1] == typescriptCommands { // TestTypeScript runs them
					continue
				}
				for line := range strings.Lines(block[1]) {
					ran++
					line = strings.TrimSpace(line)
					if want, ok := strings.CutPrefix(line, "# "); ok {
						assert.Equal(t, want, answer)
						continue
					}
					for command := range strings.SplitSeq(line, " && ") {
						command, _, _ = strings.Cut(command, "  #")
						origin, answer = runCommand(t, strings.TrimSpace(command), origin)
					}
				}
			}
		})
		return nil
	}))
	assert.NotZero(t, ran)
}

var ownOrigin = regexp.MustCompile(`http://(localhost|127\.0\.0\.1):7070`)

// runCommand runs a command line, calls at the server of origin, and returns where the
// server is afterwards and what it answered.
func runCommand(t *testing.T, line, origin string) (server, answer string) {
	t.Helper()
	words := strings.Fields(line)
	switch {
	case line == "go test ./...": // of which this is a part
	case slices.Contains(minimalCommands, line), line == typescriptServer: // TestMinimal and TestTypeScript run them
	case strings.HasPrefix(line, "go run ./examples/"):
		program := startProgram(t, "..", strings.TrimPrefix(words[2], "./examples/"), words[3:]...)
		return strings.TrimSuffix(program.base, "/__runner"), ""
	case strings.HasPrefix(line, "curl "):
		require.NotEmpty(t, origin, "a call without a server: %s", line)
		out, err := exec.Command("sh", "-c", ownOrigin.ReplaceAllString(line, origin)+" -sS").Output()
		require.NoError(t, err, line)
		return origin, string(out)
	case strings.HasPrefix(line, "npm ci --prefix examples/"):
		install(t, strings.TrimPrefix(words[3], "examples/"))
	case line == "node examples/runner/expose.js":
		startExposure(t)
	case words[0] == "make":
		out, err := exec.Command("make", append([]string{"-C", "..", "--dry-run"}, words[1:]...)...).CombinedOutput()
		require.NoError(t, err, string(out))
	default:
		t.Errorf("nothing tries this: %s", line)
	}
	return origin, ""
}
