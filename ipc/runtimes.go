package ipc

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bluelibs/go-tunnel/ipc/internal/proc"
)

// Bun is like [Node], for bun (1.3 or later) on PATH. Flags are Bun's. It runs TypeScript.
func Bun(file string, flags ...string) Options { return bunEngine.options(file, flags) }

// Deno is like [Node], for deno (2.9 or later) on PATH. Flags are those of deno run. If none of
// them is about permissions, --allow-all is added, since Node.js and Bun allow all. It runs
// TypeScript, and recognises CommonJS in files named .js as Node.js does. If the application has
// packages, Options.Dir must be the folder of its package.json: Deno looks for them there.
//
// If npm runs no install scripts, node_modules/.bin/deno is a program around deno, which does not
// pass the worker's pipes on: set Command[0] to node_modules/deno/deno.
func Deno(file string, flags ...string) Options {
	if !slices.ContainsFunc(flags, isPermission) {
		flags = append([]string{"--allow-all"}, flags...)
	}
	return denoEngine.options(file, flags)
}

// isPermission reports whether a flag of deno run is about permissions.
func isPermission(flag string) bool {
	for _, prefix := range []string{"--allow-", "--deny-", "--ignore-", "--permission-set", "--no-prompt"} {
		if strings.HasPrefix(flag, prefix) {
			return true
		}
	}
	return len(flag) > 1 && flag[0] == '-' && strings.IndexByte("ARWNESIP", flag[1]) >= 0
}

// engine is a program that runs the runtime of package ipc and a module.
type engine struct {
	command  []string // the arguments before the flags
	heap     string   // a flag before them, unless they contain one of that name
	program  []string // the arguments after them, if the runtime comes by the standard input
	maxHeap  string   // the flag that sets the heap's limit, without its number of MiB; empty if there is none
	variable string   // the variable that sets it in bytes, if there is no flag
}

var (
	nodeEngine = &engine{command: []string{"node"}, heap: "--initial-old-space-size=128", program: []string{"-"}, maxHeap: "--max-old-space-size="}
	bunEngine  = &engine{command: []string{"bun"}, program: []string{"-"}, variable: "BUN_JSC_forceRAMSize"}
	denoEngine = &engine{command: []string{"deno", "run", "--unstable-detect-cjs"}, program: []string{"--ext=cjs", "-"}, maxHeap: "--v8-flags=--max-old-space-size="}
)

func (e *engine) options(file string, flags []string) Options {
	program := bundle()
	if e.heap != "" && !slices.ContainsFunc(flags, setsInitialHeap) {
		flags = slices.Concat([]string{e.heap}, flags)
	}
	if proc.HasExtraFiles || e != nodeEngine {
		// The program comes by the standard input: this needs no temporary file, and no long
		// command line is in the list of processes.
		return Options{Command: slices.Concat(e.command, flags, e.program, []string{file}), engine: e, stdin: program}
	}
	return Options{Command: slices.Concat(e.command, flags, []string{"--eval", string(program), file}), engine: e}
}

// setsInitialHeap reports whether a flag of Node.js sets the size at which V8 first collects old
// garbage.
func setsInitialHeap(flag string) bool {
	name, _, _ := strings.Cut(strings.ReplaceAll(flag, "_", "-"), "=")
	return name == "--initial-old-space-size" || name == "--initial-heap-size"
}

// limitHeap turns Options.MaxHeap into a flag before those of Command, or into a variable. The user's
// own flag or variable takes precedence.
func (o *Options) limitHeap() error {
	switch e := o.engine; {
	case o.MaxHeap <= 0:
	case e == nil:
		return errors.New("ipc: Options.MaxHeap is for workers of Node, Bun and Deno: for another runtime put its flag into Command")
	case e.maxHeap != "":
		flag := fmt.Sprint(e.maxHeap, max(o.MaxHeap>>20, 1))
		o.Command = slices.Insert(slices.Clone(o.Command), len(e.command), flag)
	case !slices.ContainsFunc(o.environment(), func(v string) bool { return strings.HasPrefix(v, e.variable+"=") }):
		o.heap = fmt.Sprint(e.variable, "=", o.MaxHeap)
	}
	return nil
}

// The worker's side of the framed wire in JavaScript. It is also an npm package.
var (
	//go:embed node/lib/*.js
	nodeRuntime embed.FS
	//go:embed node/loader.js
	nodeLoader []byte
)

// Node returns the options for a worker that is a JavaScript module. It needs only node (20 or
// later) on PATH: the runtime around the module is part of this package. The module, ESM or
// CommonJS, exports its tasks and events,
//
//	export const tasks = { "app.tasks.add": async ({ a, b }) => a + b };
//	export const events = { "app.events.notify": async (payload) => {} };
//
// or a running Runner application as runtime or default export, or a function that returns or
// promises either. If it exports a function dispose beside tasks, that is called at the end. The
// file is relative to Options.Dir. Flags are Node's own, such as "--inspect=127.0.0.1:0", or
// "--permission" ("--experimental-permission" before Node.js 22.13) with "--allow-fs-read=" and the
// module's folder, and from Node.js 25 on "--allow-net" for a module that uses the network. Node adds
// "--initial-old-space-size=128" unless flags contain one of that name: see Sizing.
//
// The result can be changed before Start: set Command[0] to use another node than the one on PATH.
// [Bun] and [Deno] are its siblings.
func Node(file string, flags ...string) Options { return nodeEngine.options(file, flags) }

// bundle returns the runtime's files as one program, which starts main.js.
func bundle() []byte {
	const dir = "node/lib"
	var b strings.Builder
	b.WriteString("const files = {\n")
	entries, err := nodeRuntime.ReadDir(dir)
	if err != nil {
		panic(err) // the folder is embedded
	}
	for _, e := range entries {
		source, err := nodeRuntime.ReadFile(path.Join(dir, e.Name()))
		if err != nil {
			panic(err)
		}
		name, err := json.Marshal("./" + e.Name())
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(&b, "%s: function (module, exports, require) {\n%s\n},\n", name, source)
	}
	b.WriteString("};\n")
	b.Write(nodeLoader)
	return []byte(b.String())
}
