// Package publish simulates a publication: all modules of this repository are zipped as
// the go command would do it from their tags, and served to consumers by a proxy of files.
package publish

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

const rootModule = "github.com/bluelibs/go-tunnel"

// modules are the folders of all modules, in the order in which they are tagged.
var modules = []string{".", "protocol/metrics", "protocol/tracing", "examples/observability", "examples/frameworks"}

var update = flag.Bool("update", false, "write go.mod and go.sum of the nested modules as go mod tidy wants them")

// site is a publication: a folder with the sources as they are committed or about to be, a
// proxy with all modules, and the cache of whoever takes something from it.
type site struct{ sources, proxy, cache string }

var temporary string // a folder of this run

var published = sync.OnceValues(func() (s site, err error) {
	dir := filepath.Join(temporary, "publication")
	s = site{filepath.Join(dir, "sources"), filepath.Join(dir, "proxy"), filepath.Join(dir, "cache")}
	if err := copySources(s.sources); err != nil {
		return s, err
	}
	for _, folder := range modules {
		if err := s.publish(folder); err != nil {
			return s, fmt.Errorf("%s: %w", folder, err)
		}
	}
	return s, nil
})

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "go-tunnel-publish-")
	if err != nil {
		panic(err)
	}
	temporary = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func publication(t *testing.T) site {
	t.Helper()
	s, err := published()
	require.NoError(t, err)
	return s
}

func root() string { return filepath.Join("..", "..") }

// version is what the next tag is called: the newest heading of CHANGELOG.md.
func version() (string, error) {
	text, err := os.ReadFile(filepath.Join(root(), "CHANGELOG.md"))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "## ["); ok {
			if name, _, ok := strings.Cut(rest, "]"); ok && name != "Unreleased" {
				return "v" + name, nil
			}
		}
	}
	return "", errors.New("CHANGELOG.md has no version")
}

func modulePath(folder string) string {
	if folder == "." {
		return rootModule
	}
	return rootModule + "/" + folder
}

// copySources copies the files that git knows, or would know after git add.
func copySources(target string) error {
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root()
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("git ls-files: %w", err)
	}
	for _, name := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(root(), filepath.FromSlash(name)))
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted, and not yet committed
		}
		if err != nil {
			return err
		}
		file := filepath.Join(target, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, content, 0o600)); err != nil {
			return err
		}
	}
	return nil
}

// publish puts a module into the proxy.
func (s site) publish(folder string) error {
	tag, err := version()
	if err != nil {
		return err
	}
	dir := filepath.Join(s.sources, filepath.FromSlash(folder))
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	escaped, err := module.EscapePath(modulePath(folder))
	if err != nil {
		return err
	}
	shelf := filepath.Join(s.proxy, filepath.FromSlash(escaped), "@v")
	info, err := json.Marshal(map[string]any{"Version": tag, "Time": time.Unix(0, 0).UTC()})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(shelf, 0o700); err != nil {
		return err
	}
	for name, content := range map[string][]byte{"list": []byte(tag + "\n"), tag + ".info": info, tag + ".mod": mod} {
		if err := os.WriteFile(filepath.Join(shelf, name), content, 0o600); err != nil {
			return err
		}
	}
	archive, err := os.Create(filepath.Join(shelf, tag+".zip"))
	if err != nil {
		return err
	}
	err = zip.CreateFromDir(archive, module.Version{Path: modulePath(folder), Version: tag}, dir)
	return errors.Join(err, archive.Close())
}

// goIn returns a go command that somebody who has only the publication gives in a folder.
// Other modules come from this machine's cache, as far as they are there.
func (s site) goIn(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	proxies := []string{fileURL(s.proxy), fileURL(filepath.Join(goEnv("GOMODCACHE"), "cache", "download")), goEnv("GOPROXY")}
	cmd.Env = append(os.Environ(),
		"GOWORK=off", "GOMODCACHE="+s.cache, "GOPROXY="+strings.Join(proxies, ","),
		"GOFLAGS=-modcacherw -trimpath", // builds of other modules are found in the build cache
		"GOSUMDB=off",                   // which knows nothing of a version that does not exist
	)
	return cmd
}

// run gives a go command and returns what it prints on standard output.
func (s site) run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := s.goIn(dir, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "go %s\n%s%s", strings.Join(args, " "), out, stderr.String())
	return string(out)
}

func fileURL(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return "file://" + path
}

func goEnv(name string) string {
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(out))
}

// modFile parses the go.mod of a module, or of a consumer's folder.
func modFile(t *testing.T, dir string) *modfile.File {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	require.NoError(t, err)
	file, err := modfile.Parse("go.mod", text, nil)
	require.NoError(t, err)
	return file
}

// consumer makes a folder of somebody who imports packages.
func consumer(t *testing.T, s site, packages ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	var source strings.Builder
	source.WriteString("package main\n\nimport (\n")
	for _, path := range packages {
		fmt.Fprintf(&source, "\t_ %q\n", path)
	}
	source.WriteString(")\n\nfunc main() {}\n")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(source.String()), 0o600))
	s.run(t, dir, "mod", "init", "example.com/consumer")
	s.run(t, dir, "mod", "tidy")
	return dir
}
