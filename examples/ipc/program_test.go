package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
)

// A program in another language runs by itself, or by the command that is given for it: not by node.
func TestPlainProgram(t *testing.T) {
	const script = `#!/bin/sh
while read -r line; do
  id=${line#*\"id\":}
  echo "{\"id\":${id%%,*},\"ok\":true,\"result\":\"sh\"}"
done
`
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	dir := t.TempDir()
	worker, data := filepath.Join(dir, "worker.sh"), filepath.Join(dir, "worker.py")
	require.NoError(t, os.WriteFile(worker, []byte(script), 0o700))
	require.NoError(t, os.WriteFile(data, []byte("print()"), 0o600))
	for name, p := range map[string]program{
		"a file":    {runtime: "node", plain: true, file: worker},
		"a command": {runtime: "node", plain: true, command: []string{"sh", worker}},
	} {
		t.Run(name, func(t *testing.T) {
			opts, remove, err := p.options()
			require.NoError(t, err)
			defer remove()
			pool, err := ipc.Start(t.Context(), opts)
			require.NoError(t, err)
			defer pool.Close()
			reply, err := pool.Execute(t.Context(), &protocol.Call{ID: "a"})
			require.NoError(t, err)
			assert.Equal(t, `"sh"`, string(reply.Value))
		})
	}

	for want, p := range map[string]program{
		"cannot be executed: write the whole command at the end, such as -- python3": {runtime: "node", plain: true, file: data},
		"no such file":                {runtime: "node", plain: true, file: filepath.Join(dir, "nowhere.py")},
		"not node, bun or deno":       {runtime: "nodejs", file: "a.mjs"},
		"either -worker or a command": {runtime: "node", file: "a.mjs", command: []string{"node", "a.mjs"}},
	} {
		_, _, err := p.options()
		assert.ErrorContains(t, err, want)
	}
}

func TestCommands(t *testing.T) {
	for want, p := range map[string]program{
		"node":                      {runtime: "node", file: "tasks.mjs"},
		"bun":                       {runtime: "bun", file: "tasks.ts"},
		"deno":                      {runtime: "deno", file: "tasks.ts"},
		"node --inspect worker.js":  {runtime: "node", flags: []string{"--inspect"}, plain: true, file: "worker.js"},
		"node worker.js":            {runtime: "node", plain: true, file: "worker.js"},
		"bun worker.ts":             {runtime: "bun", plain: true, file: "worker.ts"},
		"deno run --allow-all w.js": {runtime: "deno", plain: true, file: "w.js"},
		"python3 -u worker.py":      {runtime: "node", plain: true, command: []string{"python3", "-u", "worker.py"}},
	} {
		opts, remove, err := p.options()
		require.NoError(t, err)
		remove()
		assert.Equal(t, p.plain, opts.Wire == ipc.PlainWire)
		if p.plain {
			assert.Equal(t, want, strings.Join(opts.Command, " "))
		} else {
			assert.Equal(t, want, opts.Command[0])
			assert.Equal(t, p.file, opts.Command[len(opts.Command)-1])
		}
	}
}
