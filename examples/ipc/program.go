package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/bluelibs/go-tunnel/examples/internal/serve"
	"github.com/bluelibs/go-tunnel/ipc"
)

// The example's own workers are part of the binary, so that it runs from any folder.
var (
	//go:embed tasks.mjs
	ownTasks []byte
	//go:embed node-worker.js
	ownPlainWorker string
)

// program is the worker that the command line asks for.
type program struct {
	runtime string
	flags   []string // of it
	file    string   // empty: the example's own
	command []string // instead of a file
	plain   bool
}

// runtimes are how a module is run, by name.
var runtimes = map[string]func(file string, flags ...string) ipc.Options{
	"node": ipc.Node, "bun": ipc.Bun, "deno": ipc.Deno,
}

// options returns how to run a worker, and what to do when it is not needed any more.
func (p program) options() (opts ipc.Options, remove func(), err error) {
	remove = func() {}
	run := runtimes[p.runtime]
	switch {
	case run == nil:
		err = fmt.Errorf("-runtime is %q, not node, bun or deno", p.runtime)
	case len(p.command) > 0 && p.file != "":
		err = errors.New("either -worker or a command, not both")
	case len(p.command) > 0:
		opts.Command = p.command
	case p.plain && p.file == "":
		opts.Command = slices.Concat([]string{"node"}, p.flags, []string{"--eval", ownPlainWorker})
	case p.plain:
		opts.Command, err = p.commandOfFile()
	case p.file != "":
		opts = run(p.file, p.flags...)
	default:
		var file string
		file, remove, err = serve.Module(ownTasks)
		opts = run(file, p.flags...)
	}
	if p.plain {
		opts.Wire = ipc.PlainWire
	}
	return opts, remove, err
}

// commandOfFile returns how to run a program: JavaScript by the runtime, anything else by
// itself.
func (p program) commandOfFile() ([]string, error) {
	if slices.Contains([]string{".js", ".cjs", ".mjs", ".ts", ".cts", ".mts"}, filepath.Ext(p.file)) {
		command := []string{p.runtime}
		if p.runtime == "deno" {
			command = []string{"deno", "run", "--allow-all"}
		}
		return slices.Concat(command, p.flags, []string{p.file}), nil
	}
	file, err := filepath.Abs(p.file) // PATH is not looked at
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Mode()&0o111 == 0 && filepath.Ext(file) != ".exe" {
		return nil, fmt.Errorf("%s is no JavaScript and cannot be executed: write the whole command at the end, such as -- python3 %s", p.file, p.file)
	}
	return []string{file}, nil
}
