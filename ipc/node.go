package ipc

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

// The worker's side of the framed wire in JavaScript. It is also an npm package.
var (
	//go:embed node/lib/*.js
	nodeRuntime embed.FS
	//go:embed node/loader.js
	nodeLoader []byte
)

// Node returns the options for a worker that is a JavaScript module and needs nothing
// but node (20 or later) on PATH: the runtime around it is part of this package. The
// module, ESM or CommonJS, exports what it serves,
//
//	export const tasks = { "app.tasks.add": async ({ a, b }) => a + b };
//	export const events = { "app.events.notify": async (payload) => {} };
//
// or a running Runner application as runtime or default export, or a function that
// returns or promises either. A function dispose that it exports beside tasks is called at
// the end. The file is relative to Options.Dir. Flags are Node's own, such as
// "--inspect=127.0.0.1:0", or "--permission" (before Node.js 22.13 it is
// "--experimental-permission") with "--allow-fs-read=" and the module's folder, and from
// Node.js 25 on "--allow-net" for a module that uses the network.
//
// Change what else needs changing in the result before Start: Command[0], for another
// node than that on PATH. [Bun] and [Deno] are its siblings.
func Node(file string, flags ...string) Options { return nodeEngine.options(file, flags) }

// nodeScript bundles the runtime's files into one program, which starts main.js.
func nodeScript() []byte {
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
