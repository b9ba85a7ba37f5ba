package publish

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// slow skips what only make publish runs.
func slow(t *testing.T) {
	t.Helper()
	if os.Getenv("PUBLISH") == "" {
		t.Skip("PUBLISH is not set: see make publish")
	}
}

const rollupConfig = `
import commonjs from "@rollup/plugin-commonjs";
import json from "@rollup/plugin-json";
import resolve from "@rollup/plugin-node-resolve";
export default { plugins: [resolve({ preferBuiltins: true, exportConditions: ["node"] }), commonjs(), json()], output: { inlineDynamicImports: true } };
`

// Bundles with Runner inside run in a folder where there is no other copy. They export
// theirs, as the README says. Bundles without it find that of the folder.
func TestBundles(t *testing.T) {
	slow(t)
	dir := project(t)
	write(t, dir, "app.mjs", imported+exported+`export const runtime = start();`)
	write(t, dir, "bare.mjs", imported+`export const runtime = start();`)
	write(t, dir, "default.mjs", imported+exported+`export default start();`)
	write(t, dir, "app.cjs", required+`exports.runner = require("@bluelibs/runner"); exports.runtime = start();`)
	write(t, dir, "rollup.config.mjs", rollupConfig)
	write(t, dir, "tsup.inside.mjs", `export default { noExternal: ["@bluelibs/runner"] };`)
	for name, c := range map[string]struct {
		args   []string // of npx; OUT is the file
		file   string
		inside bool // without node_modules
	}{
		"esbuild, CommonJS":      {[]string{"esbuild", "app.mjs", "--bundle", "--platform=node", "--format=cjs", "--outfile=OUT"}, "app.cjs", true},
		"esbuild, ES module":     {[]string{"esbuild", "app.mjs", "--bundle", "--platform=node", "--format=esm", "--outfile=OUT"}, "app.mjs", true},
		"esbuild, default":       {[]string{"esbuild", "default.mjs", "--bundle", "--platform=node", "--format=cjs", "--outfile=OUT"}, "app.cjs", true},
		"esbuild, of CommonJS":   {[]string{"esbuild", "app.cjs", "--bundle", "--platform=node", "--format=cjs", "--minify", "--outfile=OUT"}, "app.cjs", true},
		"esbuild, Runner beside": {[]string{"esbuild", "bare.mjs", "--bundle", "--platform=node", "--format=cjs", "--packages=external", "--outfile=OUT"}, "app.cjs", false},
		"esbuild, ES, beside":    {[]string{"esbuild", "bare.mjs", "--bundle", "--platform=node", "--format=esm", "--packages=external", "--outfile=OUT"}, "app.mjs", false},
		"rollup, CommonJS":       {[]string{"rollup", "-c", "rollup.config.mjs", "-i", "app.mjs", "-f", "cjs", "-o", "OUT"}, "app.cjs", true},
		"rollup, ES module":      {[]string{"rollup", "-c", "rollup.config.mjs", "-i", "app.mjs", "-f", "es", "-o", "OUT"}, "app.mjs", true},
		"ncc, Runner beside":     {[]string{"ncc", "build", "app.cjs", "-e", "@bluelibs/runner", "-o", "DIR"}, "index.cjs", false},
		"ncc, ES module":         {[]string{"ncc", "build", "app.mjs", "-o", "DIR"}, "index.mjs", true},
		"tsup, CommonJS":         {[]string{"tsup", "app.mjs", "--config", "tsup.inside.mjs", "--format", "cjs", "--out-dir", "DIR"}, "app.js", true},
		"tsup, ES module":        {[]string{"tsup", "app.mjs", "--config", "tsup.inside.mjs", "--format", "esm", "--out-dir", "DIR"}, "app.mjs", true},
		"tsup, Runner beside":    {[]string{"tsup", "bare.mjs", "--format", "esm", "--out-dir", "DIR"}, "app.mjs", false},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(dir, "built", strings.ReplaceAll(strings.ReplaceAll(name, ", ", "-"), " ", "-"))
			if c.inside {
				out = t.TempDir()
			}
			var args []string
			for _, arg := range c.args {
				args = append(args, strings.NewReplacer("OUT", filepath.Join(out, c.file), "DIR", out).Replace(arg))
			}
			command(t, dir, filepath.Join(dir, "node_modules", ".bin", args[0]), args[1:]...)
			requireServed(t, out, built(t, out))
		})
	}
}

// built returns the file that a bundler has left in a folder.
func built(t *testing.T, dir string) string {
	t.Helper()
	for _, pattern := range []string{"*.mjs", "*.cjs", "*.js"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		require.NoError(t, err)
		for _, file := range files {
			if !strings.HasPrefix(filepath.Base(file), "chunk") {
				return filepath.Base(file)
			}
		}
	}
	t.Fatal("nothing was built")
	return ""
}

// The package managers that put packages elsewhere, with an application and with a program
// that has the npm package.
func TestPackageManagers(t *testing.T) {
	slow(t)
	tools := project(t)
	tool := func(name string) string { return filepath.Join(tools, "node_modules", ".bin", name) }
	tarball := pack(t)
	registry := strings.TrimSpace(output(t, "npm", "config", "get", "registry"))
	for name, c := range map[string]struct {
		install []string
		flags   []string
		files   map[string]string
	}{
		"npm":  {[]string{"npm", "install", "--no-audit", "--no-fund"}, nil, nil},
		"pnpm": {[]string{tool("pnpm"), "install", "--registry", registry}, nil, nil},
		"Yarn with node_modules": {[]string{tool("yarn"), "install"}, nil, map[string]string{
			".yarnrc.yml": "nodeLinker: node-modules\nenableTelemetry: false\nnpmRegistryServer: " + registry + "\n", "yarn.lock": "",
		}},
		"Yarn PnP": {[]string{tool("yarn"), "install"}, []string{"--require", "./.pnp.cjs", "--loader", "./.pnp.loader.mjs"}, map[string]string{
			".yarnrc.yml": "nodeLinker: pnp\nenableTelemetry: false\nnpmRegistryServer: " + registry + "\n", "yarn.lock": "",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "package.json", `{"name": "app", "private": true, "dependencies": {"@bluelibs/runner": "5.5.0", "@bluelibs/tunnel-worker": "file:`+tarball+`"}}`)
			for file, content := range c.files {
				write(t, dir, file, content)
			}
			command(t, dir, c.install[0], c.install[1:]...)
			write(t, dir, "app.cjs", required+`exports.runtime = start();`)
			write(t, dir, "app.mjs", imported+`export default await start();`)
			write(t, dir, "listen.cjs", required+`start().then((runtime) => require("@bluelibs/tunnel-worker").createWorkerListener(runtime));`)
			for _, file := range []string{"app.cjs", "app.mjs"} {
				requireServed(t, dir, file, c.flags...)
			}
			requireProgram(t, dir, append(c.flags, "listen.cjs")...)
		})
	}
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	require.NoError(t, err)
	return string(out)
}
