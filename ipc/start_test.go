package ipc

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// requireNoStart starts a pool that cannot start, and returns what its error says and
// what was logged.
func requireNoStart(t *testing.T, opts Options) (reason, logged string) {
	t.Helper()
	log := &logBuffer{}
	opts.Logger = log.logger()
	pool, err := Start(t.Context(), opts)
	if err == nil {
		require.NoError(t, pool.Close())
	}
	require.Error(t, err)
	return err.Error(), log.String()
}

// The error of Start and the log name the file, the line and the reason.
func TestStartSaysWhy(t *testing.T) {
	dir := t.TempDir()
	for name, source := range map[string]string{
		"bad.mjs":      "export const x = 1;\nexport const y = {;\n",
		"good.mjs":     "export const x = 1;\n",
		"bad.cjs":      "\nconst x = ;\n",
		"imports.mjs":  "import './bad.mjs';\n",
		"requires.cjs": "require('./bad.cjs');\n",
		"export.mjs":   "\nimport { nothing } from './good.mjs';\nexport const tasks = { a: () => nothing };\n",
		"enum.ts":      "enum A { B }\nexport const tasks = { a: () => A.B };\n",
		"object.mjs":   "throw { code: 'E1', detail: 'no database' };\n",
		"null.mjs":     "throw null;\n",
		"cause.mjs":    "\n\nthrow new Error('not started', { cause: new Error('no database') });\n",
		"later.mjs":    "setTimeout(() => { throw new Error('too late'); }, 0);\nawait new Promise((r) => setTimeout(r, 60_000));\n",
		"package.mjs":  "import 'a-package-that-is-nowhere';\n",
		"boundary.mjs": "process.on('uncaughtException', () => {});\nawait import('./bad.mjs');\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(source), 0o600))
	}
	for name, c := range map[string]struct {
		file  string
		flags []string
		env   string
		want  string
	}{
		"a syntax error in an imported module":   {file: "imports.mjs", want: `cannot load .*imports\.mjs: SyntaxError: Unexpected token ';' \(.*bad\.mjs:2\)`},
		"a syntax error in a required module":    {file: "requires.cjs", want: `cannot load .*requires\.cjs: SyntaxError: Unexpected token ';' \(.*bad\.cjs:2\)`},
		"an application that catches everything": {file: "boundary.mjs", want: `SyntaxError: Unexpected token ';' \(.*bad\.mjs:2\)`},
		"a missing export":                       {file: "export.mjs", want: `SyntaxError: .*does not provide an export named 'nothing' \(.*export\.mjs:2\)`},
		"TypeScript that node does not run":      {file: "enum.ts", want: `enum\.ts.* \(Node\.js v\S+ does not run TypeScript: |SyntaxError.*TypeScript enum is not supported.* \(.*enum\.ts:1\)`},
		"a thrown object":                        {file: "object.mjs", want: `object\.mjs: \{ code: 'E1', detail: 'no database' \}`},
		"a thrown null":                          {file: "null.mjs", want: `null\.mjs: null`},
		"an error with a cause":                  {file: "cause.mjs", want: `Error: not started \(.*cause\.mjs:3:7\) \[cause\]: Error: no database`},
		"an error that nobody catches":           {file: "later.mjs", want: `before its hello on the framed wire: Error: too late \(.*later\.mjs:1\)`},
		"a missing package":                      {file: "package.mjs", want: `Cannot find package 'a-package-that-is-nowhere' imported from .*package\.mjs`},
		"a missing file":                         {file: "nowhere.mjs", want: `Cannot find module '.*nowhere\.mjs'`},
		"a bad flag":                             {file: "good.mjs", flags: []string{"--no-such-flag"}, want: `node: bad option: --no-such-flag`},
		"a bad value of a flag":                  {file: "good.mjs", flags: []string{"--max-old-space-size=x"}, want: `illegal value for flag --max-old-space-size=x`},
		"a missing file of variables":            {file: "good.mjs", flags: []string{"--env-file=nowhere"}, want: `node: nowhere: not found`},
		"a missing import":                       {file: "good.mjs", flags: []string{"--import=./nowhere.mjs"}, want: `Cannot find module '.*nowhere\.mjs'`},
		"bad NODE_OPTIONS":                       {file: "good.mjs", env: "NODE_OPTIONS=--bogus", want: `--bogus is not allowed in NODE_OPTIONS`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := Node(c.file, c.flags...)
			opts.Dir = dir
			if c.env != "" {
				opts.Env = append(os.Environ(), c.env)
			}
			reason, logged := requireNoStart(t, opts)
			assert.Regexp(t, c.want, reason)
			assert.NotContains(t, reason, "\n")
			assert.NotContains(t, reason, "Options.Wire")
			assert.Regexp(t, regexp.MustCompile(`ipc: worker ended.*reason=start.*error=.*before its hello`), logged)
		})
	}
}

// A program that starts the worker instead of being one does not pass the pipes on.
func TestStartBehindAWrapper(t *testing.T) {
	dir := t.TempDir()
	library, err := filepath.Abs("node")
	require.NoError(t, err)
	for name, source := range map[string]string{
		"worker.js": "require(" + quoteJS(library) + ").createWorkerListener({ tasks: { a: () => 1 } });\n",
		// As npm run and nodemon do, and as tsx and node --watch do.
		"inherit.js": "require('node:child_process').spawn(process.execPath, ['worker.js'], { stdio: 'inherit' });\n",
		"channel.js": "require('node:child_process').spawn(process.execPath, ['worker.js'], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });\n",
		"stays.js":   "require('node:child_process').spawn(process.execPath, ['worker.js'], { stdio: 'inherit' }).on('exit', () => setInterval(() => {}, 1000));\n",
		"silent.js":  "setInterval(() => {}, 1000);\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(source), 0o600))
	}
	for name, c := range map[string]struct {
		want    string
		timeout time.Duration
	}{
		"inherit.js": {want: "descriptor 3 is not the server's pipe"},
		"channel.js": {want: "descriptor 3 is not the server's pipe"},
		"stays.js":   {want: `sent no hello within Options.StartTimeout \(10s\): .*descriptor 3 is not the server's pipe`, timeout: 10 * time.Second},
		"silent.js":  {want: `sent no hello within Options.StartTimeout \(200ms\) \(a wrapper, such as .*, does not pass descriptors 3 and 4 on; .* needs Options.Wire`, timeout: 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reason, _ := requireNoStart(t, Options{Command: []string{"node", name}, Dir: dir, StartTimeout: c.timeout})
			assert.Regexp(t, c.want, reason)
			assert.NotContains(t, reason, "protocol violation")
			if name != "silent.js" {
				assert.NotContains(t, reason, "Options.Wire")
			}
		})
	}
}

// A parent's channel to this process is none of a worker's.
func TestEnvironmentOfAFork(t *testing.T) {
	channel := []string{"NODE_CHANNEL_FD=3", "NODE_CHANNEL_SERIALIZATION_MODE=json", "NODE_UNIQUE_ID=1"}
	for _, variable := range channel {
		setVariable(t, variable)
	}
	for name, env := range map[string][]string{
		"inherited":          nil,
		"a copy":             os.Environ(),
		"a copy with others": append(os.Environ(), "OTHER=1"),
	} {
		for options, value := range map[string]string{
			"plain":                              "",
			"--input-type=module":                "module",
			"--experimental-default-type=module": "module",
		} {
			t.Run(name+" "+options, func(t *testing.T) {
				if value != "" {
					if !nodeTakes(options) {
						t.Skip("this version of Node.js has no such flag")
					}
					t.Setenv("NODE_OPTIONS", options)
				}
				opts := env
				if env != nil && value != "" {
					opts = append(slices.Clone(env), "NODE_OPTIONS="+options)
				}
				file := filepath.Join(t.TempDir(), "tasks.mjs")
				writeModule(t, file, `export const tasks = { names: () => Object.keys(process.env).filter((name) => /^NODE_(CHANNEL|UNIQUE)/.test(name)), send: () => typeof process.send };`)
				pool := start(t, Node(file), func(o *Options) { o.Env = opts })
				requireValue(t, `[]`, pool, task("names", ""))
				requireValue(t, `"undefined"`, pool, task("send", ""))
			})
		}
	}
	opts := Options{Env: []string{"NODE_UNIQUE_ID=7", "A=1", "NODE_CHANNEL_FD=3"}}
	assert.Equal(t, []string{"NODE_UNIQUE_ID=7", "A=1"}, opts.environment(), "what is set for the worker passes")
}

// setVariable is t.Setenv for "key=value".
func setVariable(t *testing.T, variable string) {
	t.Helper()
	name, value, _ := strings.Cut(variable, "=")
	t.Setenv(name, value)
}

// nodeTakes reports whether this version of Node.js has a flag.
func nodeTakes(flag string) bool { return exec.Command("node", flag, "--eval", "0").Run() == nil }

func quoteJS(s string) string { return strconv.Quote(s) }
