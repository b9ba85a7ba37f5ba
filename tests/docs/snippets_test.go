// Package docs_test checks the code and the links in the Markdown files.
package docs_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/tests/internal/runner"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Code in Markdown files cannot rot: a block of Go is part of a file that is compiled and
// tested, whose name introduces it. A block of JavaScript or TypeScript is too, or is
// itself compiled, and one for a shell is parsed; package examples runs those.
func TestSnippets(t *testing.T) {
	t.Chdir(runner.Root())
	kinds := map[string]int{}
	for _, file := range markdown(t) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, block := range regexp.MustCompile("(?sm)(?:^<!-- from (\\S+) -->\n)?^```(\\w*)\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
			source, kind, code := block[1], block[2], block[3]
			kinds[kind]++
			switch {
			case source != "":
				content, err := os.ReadFile(filepath.FromSlash(source))
				require.NoError(t, err, file)
				assert.Contains(t, string(content), code, "%s: not what %s has", file, source)
			case kind == "js", kind == "ts":
				compile(t, file, code)
			case kind == "sh":
				out, err := exec.Command("sh", "-n", "-c", code).CombinedOutput()
				assert.NoError(t, err, "%s: %s\n%s", file, code, out)
			default:
				assert.Empty(t, kind, "%s: a block that nothing checks: %s", file, code)
			}
		}
	}
	for _, kind := range []string{"go", "js", "ts", "sh"} {
		assert.NotZero(t, kinds[kind], kind)
	}
}

// markdown returns the repository's own Markdown files.
func markdown(t *testing.T) (files []string) {
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git"):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".md"):
			files = append(files, path)
		}
		return nil
	}))
	return files
}

// compile lets Node.js compile a module that it does not run.
func compile(t *testing.T, file, code string) {
	module := filepath.Join(t.TempDir(), "snippet.mjs")
	require.NoError(t, os.WriteFile(module, []byte(code), 0o600))
	out, err := exec.Command("node", "--check", module).CombinedOutput()
	assert.NoError(t, err, "%s: %s\n%s", file, code, out)
}

// Links in Markdown files to files lead to them.
func TestLinks(t *testing.T) {
	t.Chdir(runner.Root())
	for _, file := range markdown(t) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, link := range regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`).FindAllStringSubmatch(string(text), -1) {
			_, err := os.Stat(filepath.Join(filepath.Dir(file), filepath.FromSlash(link[1])))
			assert.NoError(t, err, file)
		}
	}
}
