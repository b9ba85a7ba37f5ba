package ipc

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

// underTest is the runtime that make runtimes names, Node.js without that.
func underTest() string {
	if name := os.Getenv("WORKER_RUNTIME"); name != "" {
		return name
	}
	return "node"
}

// run is Node, or its sibling for the runtime under test.
func run(file string, flags ...string) Options {
	constructors := map[string]func(string, ...string) Options{"node": Node, "bun": Bun, "deno": Deno}
	return constructors[underTest()](file, flags...)
}

// writeModules writes files to a new folder.
func writeModules(t *testing.T, sources map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, source := range sources {
		writeModule(t, filepath.Join(dir, name), source)
	}
	return dir
}

// The hello names the runtime by its own name and version, whatever it pretends to be.
func TestRuntimeIsNamed(t *testing.T) {
	out, err := exec.Command(underTest(), "--version").Output()
	require.NoError(t, err)
	version := regexp.MustCompile(`v?\d+\.\d+\.\d+`).FindString(string(out))
	require.NotEmpty(t, version)
	log := &logBuffer{}
	startModule(t, "noisy.mjs", func(o *Options) { o.Logger = log.logger() })
	want := `runtime="` + underTest() + " " + version + `"`
	require.Eventually(t, func() bool { return log.has(want) }, time.Minute, time.Millisecond, want)
}

// A runtime that nothing is known about does not get as far as to be ready.
func TestRuntimeThatIsTooOld(t *testing.T) {
	if underTest() != "node" {
		t.Skip("only Node.js can be made to look older")
	}
	dir := writeModules(t, map[string]string{
		"old.cjs":   `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.8" } });`,
		"tasks.mjs": `console.log("loaded"); export const tasks = {};`,
	})
	reason, logged := requireNoStart(t, Node(filepath.Join(dir, "tasks.mjs"), "--require", filepath.Join(dir, "old.cjs")))
	assert.Contains(t, reason, "node v18.20.8 cannot run a worker: it takes Node.js 20, Bun 1.3 or Deno 2.9, or later")
	assert.NotContains(t, logged, "loaded")
	assert.NotContains(t, logged, "worker ready")
}

func TestRuntimeSaysWhyItDoesNotStart(t *testing.T) {
	dir := writeModules(t, map[string]string{
		"bad.mjs":     "export const x = 1;\nexport const y = {;\n",
		"imports.mjs": "import './bad.mjs';\n",
		"good.mjs":    "export const x = 1;\n",
		"export.mjs":  "import { nothing } from './good.mjs';\nexport const tasks = { nothing };\n",
		"throws.mjs":  "\n\nthrow new Error('no database');\n",
		"object.mjs":  "throw { code: 'E1' };\n",
		"package.mjs": "import 'a-package-that-is-nowhere';\n",
		"later.mjs":   "setTimeout(() => { throw new Error('too late'); }, 0);\nawait new Promise((r) => setTimeout(r, 60_000));\n",
		"never.mjs":   "await new Promise(() => {});\nexport const tasks = {};\n",
	})
	for file, want := range map[string]string{
		"imports.mjs": `cannot load .*imports\.mjs: .*bad\.mjs:2`,
		"export.mjs":  `cannot load .*export\.mjs: SyntaxError: .*nothing`,
		"throws.mjs":  `cannot load .*throws\.mjs: Error: no database \(.*throws\.mjs:3:\d+\)`,
		"object.mjs":  `cannot load .*object\.mjs: \{ code: ["']E1["'] \}`,
		"package.mjs": `cannot load .*package\.mjs: .*a-package-that-is-nowhere`,
		"later.mjs":   `too late \(.*later\.mjs:1`,
		"never.mjs":   `never\.mjs came to its end before it was ready|promise never resolved \(.*never\.mjs:1`,
	} {
		t.Run(file, func(t *testing.T) {
			reason, logged := requireNoStart(t, run(filepath.Join(dir, file)))
			assert.Regexp(t, want, reason)
			assert.Regexp(t, want, logged)
		})
	}
}

func TestRuntimeRunsTypeScript(t *testing.T) {
	if underTest() == "node" {
		t.Skip("examples/watch_test.go has Node.js")
	}
	dir := writeModules(t, map[string]string{
		"tasks.ts": `enum Colour { Red = "red" }
export const tasks: Record<string, (input: any) => unknown> = { colour: () => Colour.Red };`,
	})
	pool := start(t, run(filepath.Join(dir, "tasks.ts")))
	requireValue(t, `"red"`, pool, task("colour", ""))
}

// CommonJS needs no package.json that says so.
func TestRuntimeRunsCommonJS(t *testing.T) {
	dir := writeModules(t, map[string]string{
		"tasks.js": `const { sep } = require("node:path"); exports.tasks = { sep: () => sep };`,
	})
	pool := start(t, run(filepath.Join(dir, "tasks.js")))
	requireValue(t, `"/"`, pool, task("sep", ""))
}

// What a worker that stops has printed and awaited is not cut off.
func TestRuntimeStops(t *testing.T) {
	dir := writeModules(t, map[string]string{
		"tasks.mjs": `export const tasks = { later: () => new Promise((done) => { console.log("begun"); setTimeout(done, 50, "done"); }) };
export const dispose = async () => { await new Promise((done) => setTimeout(done, 10)); console.log("disposed of"); };`,
	})
	log := &logBuffer{}
	pool := start(t, run(filepath.Join(dir, "tasks.mjs")), func(o *Options) { o.Logger = log.logger() })
	answered := make(chan string, 1)
	go func() {
		reply, err := pool.Execute(t.Context(), task("later", ""))
		if assert.NoError(t, err) {
			answered <- string(reply.Value)
		}
		close(answered)
	}()
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "line=begun") }, time.Minute, time.Millisecond)
	require.NoError(t, pool.Shutdown(t.Context()))
	assert.Equal(t, `"done"`, <-answered)
	assert.Contains(t, log.String(), `line="disposed of"`)
}

const hog = `
import v8 from "node:v8";
export const tasks = {
  limit: () => v8.getHeapStatistics().heap_size_limit,
  variable: () => process.env.BUN_JSC_forceRAMSize,
  hog: () => { for (const all = [];;) all.push(new Array(1000).fill().map((_, i) => ({ i }))); },
};`

func TestMaxHeap(t *testing.T) {
	const mib = 1 << 20
	file := filepath.Join(writeModules(t, map[string]string{"tasks.mjs": hog}), "tasks.mjs")
	if underTest() == "bun" { // which has no limit
		pool := start(t, run(file), func(o *Options) { o.MaxHeap = 64 * mib })
		requireValue(t, `"67108864"`, pool, task("variable", ""))
		pool = start(t, run(file), func(o *Options) { o.MaxHeap, o.Env = 64*mib, append(os.Environ(), "BUN_JSC_forceRAMSize=99") })
		requireValue(t, `"99"`, pool, task("variable", ""))
		return
	}
	limit := func(pool *Pool) (inMiB int) {
		reply, err := pool.Execute(t.Context(), task("limit", ""))
		require.NoError(t, err)
		var bytes int64
		require.NoError(t, json.Unmarshal(reply.Value, &bytes))
		return int(bytes / mib)
	}
	assert.Greater(t, limit(start(t, run(file))), 400, "the runtime's own")
	pool := start(t, run(file), func(o *Options) { o.MaxHeap = 64 * mib })
	assert.InDelta(t, 160, limit(pool), 96, "the limit and what is for short-lived objects")
	_, err := pool.Execute(t.Context(), task("hog", ""))
	requireCode(t, protocol.CodeWorkerCrashed, err)
	assert.Positive(t, limit(pool), "the next worker")
	flag := strings.TrimSuffix(run(file).engine.maxHeap, "=") + "=300"
	own := start(t, run(file, flag), func(o *Options) { o.MaxHeap = 64 * mib })
	assert.Greater(t, limit(own), 299, "a flag of its own counts")
}

// What Node adds stands before flags of one's own, which count, and is not there beside one of its name.
func TestInitialHeap(t *testing.T) {
	const own = "--initial-old-space-size=128"
	head := func(o Options) []string {
		i := slices.IndexFunc(o.Command, func(arg string) bool { return arg == "--eval" || arg == "-" })
		return o.Command[:i]
	}
	for flags, want := range map[string][]string{
		"":                                {"node", own},
		"--inspect":                       {"node", own, "--inspect"},
		"--max-old-space-size=64":         {"node", own, "--max-old-space-size=64"},
		"--initial-old-space-size=1":      {"node", "--initial-old-space-size=1"},
		"--initial_old_space_size=256":    {"node", "--initial_old_space_size=256"},
		"--inspect --initial-heap-size=9": {"node", "--inspect", "--initial-heap-size=9"},
	} {
		assert.Equal(t, want, head(Node("app.js", strings.Fields(flags)...)), flags)
	}
	assert.Equal(t, []string{"bun"}, head(Bun("app.js")))
	assert.NotContains(t, Deno("app.js").Command, own)
}

// What a worker starts does not get the flag: a thread would not start with it.
func TestInitialHeapOfWorker(t *testing.T) {
	if underTest() != "node" {
		t.Skip("a flag of Node.js")
	}
	file := filepath.Join(writeModules(t, map[string]string{"tasks.mjs": `
import { Worker } from "node:worker_threads";
export const tasks = {
  flags: () => process.execArgv,
  thread: () => new Promise((resolve, reject) => {
    const { execArgv } = process;
    new Worker("", { eval: true, execArgv }).on("error", reject).on("exit", resolve);
  }),
};`}), "tasks.mjs")
	pool := start(t, Node(file))
	requireValue(t, `[]`, pool, task("flags", ""))
	requireValue(t, `0`, pool, task("thread", ""))
	requireValue(t, `["--initial-old-space-size=1"]`, start(t, Node(file, "--initial-old-space-size=1")), task("flags", ""))
}

func TestMaxHeapOfAnotherCommand(t *testing.T) {
	reason, _ := requireNoStart(t, Options{Command: []string{"node", "worker.js"}, MaxHeap: 1})
	assert.Contains(t, reason, "Options.MaxHeap is for workers of Node, Bun and Deno")
}

// Deno allows all, as the others do, unless flags are about that.
func TestPermissionsOfDeno(t *testing.T) {
	all := []string{"--allow-all"}
	for flags, want := range map[string][]string{
		"":                         all,
		"--inspect":                append(all, "--inspect"),
		"--allow-read=. --inspect": {"--allow-read=.", "--inspect"},
		"-A":                       {"-A"},
		"-P":                       {"-P"},
		"--deny-net -c x.json":     {"--deny-net", "-c", "x.json"},
		"-c x.json":                append(all, "-c", "x.json"),
		"--permission-set=app":     {"--permission-set=app"},
	} {
		command := append([]string{"deno", "run", "--unstable-detect-cjs"}, want...)
		assert.Equal(t, append(command, "--ext=cjs", "-", "app.js"), Deno("app.js", strings.Fields(flags)...).Command, flags)
	}
}

func TestRestrictedDeno(t *testing.T) {
	if underTest() != "deno" {
		t.Skip("not Deno")
	}
	dir := writeModules(t, map[string]string{
		"tasks.mjs": `import { readFileSync } from "node:fs"; export const tasks = { read: (file) => readFileSync(file, "utf8").length > 0 };`,
	})
	opts := Deno("tasks.mjs", "--allow-read=.", "--allow-env")
	opts.Dir = dir
	pool := start(t, opts)
	requireValue(t, `true`, pool, task("read", `"tasks.mjs"`))
	_, err := pool.Execute(t.Context(), task("read", `"/etc/passwd"`))
	assert.ErrorContains(t, err, "NotCapable")
}
