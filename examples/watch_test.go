package examples

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// project is a folder of releases, and a link to the current one.
type project struct {
	t    *testing.T
	root string
}

func (p project) write(name, content string) {
	p.t.Helper()
	file := filepath.Join(p.root, name)
	require.NoError(p.t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(p.t, os.WriteFile(file, []byte(content), 0o600))
}

// build writes a module that imports its version from another file.
func (p project) build(dist string, version int) {
	p.t.Helper()
	p.write(dist+"/lib/version.mjs", fmt.Sprintf("export const version = %d;", version))
	p.write(dist+"/app.mjs", `import { version } from "./lib/version.mjs"; export const tasks = { version: () => version };`)
}

func (p project) rename(from, to string) {
	p.t.Helper()
	require.NoError(p.t, os.Rename(filepath.Join(p.root, from), filepath.Join(p.root, to)))
}

func (p project) remove(name string) {
	p.t.Helper()
	require.NoError(p.t, os.RemoveAll(filepath.Join(p.root, name)))
}

func (p project) link(name, target string) {
	p.t.Helper()
	require.NoError(p.t, os.Symlink(target, filepath.Join(p.root, name+".new")))
	p.rename(name+".new", name)
}

// -watch reloads whatever way a new version comes, one after the other, and no call fails.
func TestWatch(t *testing.T) {
	p := project{t: t, root: t.TempDir()}
	p.build("r1/dist", 1)
	p.link("current", "r1")
	server := startProgram(t, ".", "ipc", "-watch", "-worker", filepath.Join(p.root, "current/dist/app.mjs"))
	version := func() string { return post(t, server.base+"/task/version", "", "x-runner-token", "secret") }
	over := make(chan struct{})
	var callers sync.WaitGroup
	callers.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
				assert.Contains(t, version(), `{"ok":true,"result":`)
			}
		}
	})
	defer callers.Wait()
	defer close(over)

	steps := []struct {
		name string
		make func(version int)
	}{
		{"the first one", func(int) {}},
		{"an edit", func(n int) { p.build("r1/dist", n) }},
		{"a new folder after rm -rf", func(n int) { p.remove("r1/dist"); p.build("r1/dist", n) }},
		{"an edit in that", func(n int) { p.build("r1/dist", n) }},
		{"two renames", func(n int) {
			p.build("r1/next", n)
			p.rename("r1/dist", "r1/old")
			p.rename("r1/next", "r1/dist")
		}},
		{"an edit in that, too", func(n int) { p.build("r1/dist", n) }},
		{"another target of the link", func(n int) { p.build("r2/dist", n); p.link("current", "r2") }},
		{"an edit behind the link", func(n int) { p.build("r2/dist", n) }},
		{"an atomic save", func(n int) {
			p.write("r2/dist/lib/version.mjs~", fmt.Sprintf("export const version = %d;", n))
			p.rename("r2/dist/lib/version.mjs~", "r2/dist/lib/version.mjs")
		}},
		{"a new deep folder", func(n int) {
			p.write("r2/dist/a/b/c/version.mjs", fmt.Sprintf("export const version = %d;", n))
			p.write("r2/dist/lib/version.mjs", `export { version } from "../a/b/c/version.mjs";`)
		}},
		{"an edit in that deep folder", func(n int) {
			p.write("r2/dist/a/b/c/version.mjs", fmt.Sprintf("export const version = %d;", n))
		}},
		{"the same size and time", func(n int) {
			file := filepath.Join(p.root, "r2/dist/a/b/c/version.mjs")
			info, err := os.Stat(file)
			require.NoError(t, err)
			p.write("r2/dist/a/b/c/version.new", fmt.Sprintf("export const version = %d;", n))
			require.NoError(t, os.Chtimes(file[:len(file)-len("mjs")]+"new", time.Time{}, info.ModTime()))
			p.rename("r2/dist/a/b/c/version.new", "r2/dist/a/b/c/version.mjs")
		}},
		{"a build that takes seconds", func(n int) {
			p.remove("r2/dist")
			for i := range 20 {
				p.write(fmt.Sprintf("r2/dist/lib/part%d.mjs", i), "export {};")
				time.Sleep(100 * time.Millisecond) // as a compiler does
			}
			p.build("r2/dist", n)
		}},
		{"a version that does not load, then one that does", func(n int) {
			p.write("r2/dist/app.mjs", "export const tasks = {")
			p.build("r2/dist", n)
		}},
		{"all of it anew", func(n int) {
			p.remove("r2")
			p.remove("current")
			p.build("r3/dist", n)
			p.link("current", "r3")
		}},
	}
	for i, step := range steps {
		n := 10 + i
		if i == 0 {
			n = 1
		}
		step.make(n)
		want := fmt.Sprintf(`{"ok":true,"result":%d}`, n)
		require.Eventually(t, func() bool { return version() == want }, startBound, 10*time.Millisecond, step.name)
	}
}

// TypeScript is reloaded without a build: with tsx, and by Node.js itself where that can.
func TestWatchTypeScript(t *testing.T) {
	install(t, "testdata/tsx")
	packages, err := filepath.Abs("testdata/tsx/node_modules")
	require.NoError(t, err)
	kinds := map[string]string{"tsx": "--import tsx"}
	if out, err := exec.Command("node", "--print", "process.features.typescript").Output(); err == nil && strings.TrimSpace(string(out)) == "strip" {
		kinds["node"] = ""
	}
	for name, options := range kinds {
		t.Run(name, func(t *testing.T) {
			p := project{t: t, root: t.TempDir()}
			require.NoError(t, os.Symlink(packages, filepath.Join(p.root, "node_modules")))
			p.write("package.json", `{"type": "module"}`)
			save := func(version int) {
				p.write("src/version.ts", fmt.Sprintf("export type Version = number;\nexport const version: Version = %d;\n", version))
			}
			save(1)
			p.write("src/tasks.ts", "import { version, type Version } from './version.ts';\nexport const tasks = { version: (): Version => version };\n")
			t.Setenv("NODE_OPTIONS", options)
			server := startProgram(t, p.root, "ipc", "-watch", "-worker", "src/tasks.ts")
			becomes := func(want int) {
				require.Eventually(t, func() bool {
					return post(t, server.base+"/task/version", "", "x-runner-token", "secret") == fmt.Sprintf(`{"ok":true,"result":%d}`, want)
				}, startBound, 10*time.Millisecond)
			}
			becomes(1)
			save(2)
			becomes(2)
		})
	}
}
