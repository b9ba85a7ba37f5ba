package publish

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Every package that others import shows in an Example how.
func TestEveryPackageHasAnExample(t *testing.T) {
	s := publication(t)
	example := regexp.MustCompile(`(?m)^func Example\w*\(\)`)
	for _, folder := range modules {
		if strings.HasPrefix(folder, "examples/") {
			continue // it is one
		}
		libraries, _ := packages(t, s, folder)
		for _, path := range libraries {
			files, err := filepath.Glob(filepath.Join(s.sources, strings.TrimPrefix(path, rootModule), "*_test.go"))
			require.NoError(t, err)
			var found bool
			for _, file := range files {
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				found = found || example.Match(text)
			}
			assert.True(t, found, path)
		}
	}
}

// What GitHub reads is where it looks, and dependency updates are for every module.
func TestGitHub(t *testing.T) {
	for _, name := range []string{
		"CODEOWNERS", "CONTRIBUTING.md", "PULL_REQUEST_TEMPLATE.md", "RELEASING.md", "SECURITY.md",
		"ISSUE_TEMPLATE/bug.yml", "ISSUE_TEMPLATE/wish.yml", "ISSUE_TEMPLATE/config.yml", "workflows/ci.yml",
	} {
		text, err := os.ReadFile(filepath.Join(root(), ".github", name))
		require.NoError(t, err)
		if strings.HasSuffix(name, ".yml") {
			assert.NoError(t, yaml.Unmarshal(text, new(any)), name)
		}
	}
	text, err := os.ReadFile(filepath.Join(root(), ".github", "dependabot.yml"))
	require.NoError(t, err)
	var config struct {
		Updates []struct {
			Ecosystem   string `yaml:"package-ecosystem"`
			Directories []string
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &config))
	var looked []string
	for _, update := range config.Updates {
		if update.Ecosystem == "gomod" {
			looked = update.Directories
		}
	}
	for _, folder := range modules {
		assert.Contains(t, looked, "/"+strings.TrimPrefix(folder, "."))
	}
}

// The workflow does what .ci/run does, with the oldest Go that go.mod takes, and make publish.
func TestWorkflow(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(), ".github", "workflows", "ci.yml"))
	require.NoError(t, err)
	oldest := strings.TrimSuffix(modFile(t, root()).Go.Version, ".0")
	for _, part := range []string{"run: .ci/run", "run: make publish", `node: ["20", "22", "24", "latest"]`, `go: ["` + oldest + `", "stable"]`, "macos-latest", "windows-latest"} {
		assert.Contains(t, string(text), part)
	}
	gate, err := os.ReadFile(filepath.Join(root(), "Makefile"))
	require.NoError(t, err)
	assert.Contains(t, string(gate), "$(ACTIONLINT)")
}
