package publish

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
)

// An application whose task works only if the worker uses the application's own copy of
// Runner: any other has async contexts of its own.
const (
	application = `
const where = r.task("app.where").run(async () => useExposureContext().headers["x-here"]).build();
const app = r.resource("app").register([where]).build();
const start = () => run(app, { logs: { printThreshold: null } });
`
	required = `const { r, run, useExposureContext } = require("@bluelibs/runner");` + application
	imported = `import { r, run, useExposureContext } from "@bluelibs/runner";` + application
	exported = `export * as runner from "@bluelibs/runner";`
)

// requireServed starts a worker and calls its task.
func requireServed(t *testing.T, dir, file string, flags ...string) {
	t.Helper()
	requireCall(t, ipc.Node(file, flags...), dir)
}

// requireProgram does the same with a program that owns its start.
func requireProgram(t *testing.T, dir string, arguments ...string) {
	t.Helper()
	requireCall(t, ipc.Options{Command: append([]string{"node"}, arguments...)}, dir)
}

func requireCall(t *testing.T, opts ipc.Options, dir string) {
	t.Helper()
	pool, err := startWorker(t, opts, dir)
	require.NoError(t, err)
	call := &protocol.Call{Kind: protocol.KindTask, ID: "app.where", Header: http.Header{"X-Here": {"yes"}}}
	reply, err := pool.Execute(t.Context(), call)
	require.NoError(t, err)
	assert.Equal(t, `"yes"`, string(reply.Value))
}

func startWorker(t *testing.T, opts ipc.Options, dir string) (*ipc.Pool, error) {
	t.Helper()
	opts.Dir, opts.StartTimeout, opts.Logger = dir, time.Minute, slog.New(slog.DiscardHandler)
	pool, err := ipc.Start(t.Context(), opts)
	if pool != nil {
		t.Cleanup(func() { assert.NoError(t, pool.Shutdown(context.Background())) })
	}
	return pool, err
}

// project returns a folder with the packages of testdata/worker.
func project(t *testing.T, flags ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "worker"))))
	command(t, dir, "npm", append([]string{"ci"}, flags...)...)
	return dir
}

// command runs a program, or skips the test where packages cannot be had.
func command(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil && name == "npm" && args[0] == "ci" && os.Getenv("CI") != "true" {
		t.Skipf("the packages cannot be installed: %v\n%s", err, out)
	}
	require.NoError(t, err, "%s %s\n%s", name, strings.Join(args, " "), out)
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	file := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
}

// The worker finds the application, and the copy of Runner that it runs on, in each form
// that the npm package's README names.
func TestForms(t *testing.T) {
	dir := project(t, "--omit=dev")
	for name, source := range map[string]string{
		"named promise.cjs":          required + `exports.runtime = start();`,
		"named function.cjs":         required + `exports.runtime = start;`,
		"promise.cjs":                required + `module.exports = start();`,
		"function.cjs":               required + `module.exports = start;`,
		"compiled default.cjs":       required + `Object.defineProperty(exports, "__esModule", { value: true }); exports.default = start();`,
		"compiled named.cjs":         required + `Object.defineProperty(exports, "__esModule", { value: true }); exports.runtime = start();`,
		"named promise.mjs":          imported + `export const runtime = start();`,
		"named awaited.mjs":          imported + `export const runtime = await start();`,
		"named function.mjs":         imported + `export const runtime = start;`,
		"default promise.mjs":        imported + `export default start();`,
		"default awaited.mjs":        imported + `export default await start();`,
		"default function.mjs":       imported + `export default start;`,
		"default with members.mjs":   imported + `export default { runtime: await start() };`,
		"required.mjs":               `import { createRequire } from "node:module"; const { r, run, useExposureContext } = createRequire(import.meta.url)("@bluelibs/runner");` + application + `export default await start();`,
		"named and runner.mjs":       imported + exported + `export const runtime = await start();`,
		"default and runner.mjs":     imported + exported + `export default await start();`,
		"promise and runner.mjs":     imported + exported + `export default start();`,
		"runner beside members.mjs":  imported + exported + `export default { runtime: start() };`,
		"runner among members.mjs":   imported + `import * as runner from "@bluelibs/runner"; export default { runner, runtime: start() };`,
		"compiled and runner.cjs":    required + `exports.__esModule = true; exports.runner = require("@bluelibs/runner"); exports.default = start();`,
		"packages/inner/package.mjs": imported + `export const runtime = await start();`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			write(t, dir, name, source)
			requireServed(t, dir, name)
		})
	}
}

// Two copies of Runner in a monorepo: that counts which has made the application. One that
// an ES module of another package has imported cannot be found, and the error says how to
// show it.
func TestTwoCopies(t *testing.T) {
	dir := project(t, "--omit=dev")
	require.NoError(t, os.CopyFS(filepath.Join(dir, "packages", "app", "node_modules"), os.DirFS(filepath.Join(dir, "node_modules"))))
	write(t, dir, "packages/app/app.cjs", required+`exports.runtime = start();`)
	write(t, dir, "packages/app/app.mjs", imported+exported+`export const runtime = start();`)
	for name, source := range map[string]string{
		"main.cjs":      `require("@bluelibs/runner"); exports.runtime = require("./packages/app/app.cjs").runtime;`,
		"runner.mjs":    `import "@bluelibs/runner"; export { runtime, runner } from "./packages/app/app.mjs";`,
		"no runner.mjs": `import "@bluelibs/runner"; export { runtime } from "./packages/app/app.mjs";`,
	} {
		write(t, dir, name, source)
		if name != "no runner.mjs" {
			requireServed(t, dir, name)
			continue
		}
		_, err := startWorker(t, ipc.Node(name), dir)
		require.ErrorContains(t, err, "export it as runner beside the runtime")
	}
}

// A program that owns its start and imports the ES build of Runner 5.5.0, which cannot be
// loaded there: what Start returns says that, and nothing about wires.
func TestProgramOfESModules(t *testing.T) {
	dir := project(t, "--omit=dev")
	packed := pack(t)
	command(t, dir, "npm", "install", "--no-save", "--no-audit", "--no-fund", packed)
	listen := `import { createWorkerListener } from "@bluelibs/tunnel-worker"; createWorkerListener(await start());`
	write(t, dir, "imports.mjs", imported+listen)
	_, err := startWorker(t, ipc.Options{Command: []string{"node", "imports.mjs"}}, dir)
	require.ErrorContains(t, err, `Dynamic require of "events" is not supported`)
	assert.NotContains(t, err.Error(), "Plain")

	write(t, dir, "requires.mjs", `import { createRequire } from "node:module"; const { r, run, useExposureContext } = createRequire(import.meta.url)("@bluelibs/runner");`+application+listen)
	requireProgram(t, dir, "requires.mjs")
}

// pack returns the tarball of the npm package.
func pack(t *testing.T) (file string) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("npm", "pack", "--silent", "--pack-destination", dir)
	cmd.Dir = filepath.Join(root(), "ipc", "node")
	cmd.Stderr = io.Discard
	out, err := cmd.Output()
	require.NoError(t, err)
	return filepath.Join(dir, strings.TrimSpace(string(out)))
}
