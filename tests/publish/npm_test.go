package publish

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// packed returns the files of the npm package, by name.
func packed(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.Open(pack(t))
	require.NoError(t, err)
	defer file.Close()
	compressed, err := gzip.NewReader(file)
	require.NoError(t, err)
	files := map[string]string{}
	for archive := tar.NewReader(compressed); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		content, err := io.ReadAll(archive)
		require.NoError(t, err)
		files[strings.TrimPrefix(header.Name, "package/")] = string(content)
	}
}

// The npm package has what its README links to, the version of the Go modules, and types
// that do not make everybody install those of Node.js.
func TestNpmPackage(t *testing.T) {
	files := packed(t)
	for _, name := range []string{"LICENSE", "README.md", "MIGRATION.md", "CHANGELOG.md", "index.d.ts", "lib/listener.js"} {
		assert.Contains(t, files, name)
	}
	for _, link := range regexp.MustCompile(`\]\(([^):#]+)(?:#[^)]*)?\)`).FindAllStringSubmatch(files["README.md"], -1) {
		assert.Contains(t, files, path.Clean(link[1]), "README.md links to it")
	}
	for name := range files {
		assert.NotRegexp(t, `(^|/)(test|node_modules)/`, name)
	}
	var manifest struct {
		Version, Homepage, Author string
		Bugs                      struct{ URL string }
		PeerDependencies          map[string]string
		PeerDependenciesMeta      map[string]struct{ Optional bool }
		Dependencies              map[string]string
	}
	require.NoError(t, json.Unmarshal([]byte(files["package.json"]), &manifest))
	tag, err := version()
	require.NoError(t, err)
	assert.Equal(t, tag, "v"+manifest.Version)
	assert.Contains(t, files["CHANGELOG.md"], "## ["+manifest.Version+"]")
	assert.NotEmpty(t, manifest.Homepage)
	assert.NotEmpty(t, manifest.Author)
	assert.NotEmpty(t, manifest.Bugs.URL)
	assert.Contains(t, manifest.PeerDependencies, "@types/node")
	assert.True(t, manifest.PeerDependenciesMeta["@types/node"].Optional)
	assert.Empty(t, manifest.Dependencies)
	assert.Contains(t, files["README.md"], "same version as the Go module")
}

// What publint, attw and the TypeScript compiler say of the package as it is installed.
func TestNpmTools(t *testing.T) {
	slow(t)
	dir := project(t)
	tarball := pack(t)
	bin := func(name string) string { return filepath.Join(dir, "node_modules", ".bin", name) }
	command(t, dir, bin("publint"), "--strict", tarball)
	command(t, dir, bin("attw"), "--no-color", tarball)
	command(t, dir, "npm", "install", "--no-save", "--no-audit", "--no-fund", tarball)
	write(t, dir, "check.mts", `import { createWorkerListener } from "@bluelibs/tunnel-worker";
createWorkerListener({ tasks: { add: ({ a, b }: { a: number; b: number }) => a + b } });
createWorkerListener({ events: new Map([["e", (payload, { signal }) => signal.aborted]]) });
createWorkerListener(new Map([["t", async () => 1]]));
// @ts-expect-error nothing to serve
createWorkerListener({});
// @ts-expect-error nothing to serve
createWorkerListener({ dispose() {} });
// @ts-expect-error no function
createWorkerListener({ tasks: { add: 1 } });
// @ts-expect-error no module
createWorkerListener({ tasks: {} }, { runner: 1 });
`)
	command(t, dir, bin("tsc"), "--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "check.mts")
}
