package main

import (
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bluelibs/go-tunnel/ipc"
)

// worker returns how a worker is run: with a heap that ends below the size at which the
// worker is replaced, and no variable but those that it needs.
func (o options) worker() ipc.Options {
	// A folder behind a symbolic link is looked up by each worker that starts, once: it is
	// that of one version for the worker's life.
	dir, file := filepath.Split(o.app)
	if o.dir != "" {
		dir, file = o.dir, o.app
	}
	opts := ipc.Node(file, strings.Fields(o.flags)...)
	opts.Dir = dir
	opts.Workers = o.workers
	opts.MaxMemory = int64(o.memory) << 20
	opts.MaxHeap = opts.MaxMemory * 3 / 4
	// This also ends uploads that take longer, however well they go on. Give the tasks that
	// take them a time of their own: opts.TaskTimeouts, by id.
	opts.TaskTimeout = o.taskTimeout
	opts.EnvFilter = o.passes
	var withheld []string
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); !o.passes(name) {
			withheld = append(withheld, name)
		}
	}
	slog.Debug("variables that workers do not get without -env", "names", withheld)
	return opts
}

// passes reports whether workers get a variable of the server's environment.
func (o options) passes(name string) bool {
	patterns := append(strings.Split(o.env, ","), "APP_*", "HOME", "LANG", "NODE_ENV", "PATH", "TMPDIR", "TZ")
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		match, _ := path.Match(pattern, name)
		return match
	})
}
