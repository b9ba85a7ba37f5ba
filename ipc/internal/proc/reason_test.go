package proc

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestExitReason(t *testing.T) {
	for stderr, want := range map[string]string{
		"":                                       "",
		"\n":                                     "",
		"sh: 1: nothing: not found\n":            "sh: 1: nothing: not found",
		"TypeError: x\n    at f (/a/b.js:1:2)\n": "TypeError: x (/a/b.js:1:2)",
		"Error: old\n    at f (/a.js:1:2)\nall well\nError: new\n    at g (/b.js:3:4)\n":            "Error: new (/b.js:3:4)",
		"Error: x\n    at node:internal/a:1:1\n":                                                    "Error: x",
		"Error: x\n    at f (/a/node_modules/b/c.js:1:1)\n    at g (/a/d.js:2:2)\n":                 "Error: x (/a/d.js:2:2)",
		"Error: x\n    at f (/a/node_modules/b/c.js:1:1)\n":                                         "Error: x (/a/node_modules/b/c.js:1:1)",
		"Error: x\n    at f (C:\\a\\b.js:1:1)\n":                                                    "Error: x (C:\\a\\b.js:1:1)",
		"go-tunnel worker: no module given\n":                                                       "no module given",
		"noise\ngo-tunnel worker: cannot load /a.mjs:\n{\n  a: 1\n}\n":                              "cannot load /a.mjs: { a: 1 }",
		"Traceback (most recent call last):\n  File \"/w.py\", line 1\nModuleNotFoundError: No x\n": "ModuleNotFoundError: No x",
	} {
		assert.Equal(t, want, ExitReason(stderr), "%q", stderr)
	}
	assert.Len(t, ExitReason("Error: "+string(make([]byte, 5000))), maxReason)
}

func TestExitReasonOfOtherRuntimes(t *testing.T) {
	for said, want := range map[string]string{
		"error: unexpected argument '--x' found\n\nUsage: deno run\n":                                     "error: unexpected argument '--x' found",
		"error: Uncaught Error: later\n    at file:///a/b.mjs:1:32\n":                                     "error: Uncaught Error: later (file:///a/b.mjs:1:32)",
		"1 | x\n    ^\nerror: later\n      at <anonymous> (/a/b.mjs:3:160)\n\nBun v1.4.5 (Linux x64)\n":   "error: later (/a/b.mjs:3:160)",
		"[stdin]:113\n    a ??= b;\n      ^^^\n\nSyntaxError: Unexpected token '??='\n    at x (vm.js)\n": "this version of Node.js is too old, a worker needs 20 or later: SyntaxError: Unexpected token '??='",
		"Error: no file\n    at load (/a/b.js:2:3) { code: 'ENOENT' }\n":                                  "Error: no file (/a/b.js:2:3)",
	} {
		assert.Equal(t, want, ExitReason(said))
	}
}
