package publish

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// All modules have one version, which CHANGELOG.md names first, and nothing in go.mod that
// keeps them from consumers or from go install.
func TestVersions(t *testing.T) {
	tag, err := version()
	require.NoError(t, err)
	assert.True(t, semver.IsValid(tag) && semver.Compare(tag, "v0.0.0") > 0, tag)
	list := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "go.mod", "**/go.mod")
	list.Dir = root()
	out, err := list.Output()
	require.NoError(t, err)
	var found []string
	for _, file := range strings.Fields(string(out)) {
		found = append(found, filepath.ToSlash(filepath.Dir(file)))
	}
	assert.ElementsMatch(t, modules, found, "the list of modules")
	for i, folder := range modules {
		file := modFile(t, filepath.Join(root(), folder))
		assert.Equal(t, modulePath(folder), file.Module.Mod.Path)
		assert.Empty(t, file.Replace, "%s: go install refuses modules with replacements", folder)
		assert.Empty(t, file.Exclude, folder)
		for _, require := range file.Require {
			if require.Mod.Path != rootModule && !strings.HasPrefix(require.Mod.Path, rootModule+"/") {
				continue
			}
			assert.Equal(t, tag, require.Mod.Version, "%s requires %s", folder, require.Mod.Path)
			at := slices.IndexFunc(modules, func(other string) bool { return modulePath(other) == require.Mod.Path })
			assert.True(t, at >= 0 && at < i, "%s requires %s, which is tagged after it", folder, require.Mod.Path)
		}
	}
}

// The pages that say how to develop and how to release name every module.
func TestModulesAreNamed(t *testing.T) {
	work, err := os.ReadFile(filepath.Join(root(), ".ci", "go.work"))
	require.NoError(t, err)
	releasing, err := os.ReadFile(filepath.Join(root(), ".github", "RELEASING.md"))
	require.NoError(t, err)
	tag, err := version()
	require.NoError(t, err)
	last := -1
	for i, folder := range modules {
		path := "../" + strings.TrimPrefix(folder, ".")
		assert.Contains(t, string(work), "\t"+path+"\n", "workspace")
		required := slices.ContainsFunc(modules[i+1:], func(later string) bool {
			return slices.ContainsFunc(modFile(t, filepath.Join(root(), later)).Require, func(r *modfile.Require) bool { return r.Mod.Path == modulePath(folder) })
		})
		assert.Equal(t, required, strings.Contains(string(work), modulePath(folder)+" "+tag+" => "+path+"\n"), "workspace: the place of %s", folder)
		if folder == "." {
			continue
		}
		at := strings.Index(string(releasing), folder+"/v")
		assert.Greater(t, at, last, "%s stands in the order of the tags", folder)
		last = at
	}
}

// go mod tidy has nothing to change in any module. Checksums of this repository's own
// modules are left out of go.sum: they are known once there are tags.
func TestTidy(t *testing.T) {
	s := publication(t)
	for _, folder := range modules {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(s.sources, filepath.FromSlash(folder))
			before := map[string]string{}
			for _, name := range []string{"go.mod", "go.sum"} {
				text, err := os.ReadFile(filepath.Join(dir, name))
				if !*update {
					require.NoError(t, err)
				}
				before[name] = string(text)
			}
			s.run(t, dir, "mod", "tidy")
			for name, was := range before {
				text, err := os.ReadFile(filepath.Join(dir, name))
				require.NoError(t, err)
				now := string(text)
				if name == "go.sum" {
					now = othersSums(now)
				}
				if *update {
					require.NoError(t, os.WriteFile(filepath.Join(root(), folder, name), []byte(now), 0o600))
					continue
				}
				assert.Equal(t, now, was, "%s of %s: go test ./tests/publish -run Tidy -update", name, folder)
			}
		})
	}
}

func othersSums(sums string) string {
	var kept strings.Builder
	for line := range strings.Lines(sums) {
		path, _, _ := strings.Cut(line, " ")
		if path != rootModule && !strings.HasPrefix(path, rootModule+"/") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
