// Command ipc serves the tasks of a Node.js worker:
//
//	go run ./examples/ipc
//	go run ./examples/ipc -worker my-worker.js -tasks my.task
//
// It needs node on PATH. The worker is a plain script of about twenty lines, see
// node-worker.js.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"github.com/bluelibs/go-tunnel/examples/internal/serve"
	"github.com/bluelibs/go-tunnel/ipc"

	tunnel "github.com/bluelibs/go-tunnel"
)

// The worker is part of the binary, so that it runs from any folder.
//
//go:embed node-worker.js
var ownWorker string

func main() {
	flags := serve.Register("app.tasks.add,app.tasks.greet,app.tasks.echo,app.tasks.fail", "app.events.notify,app.events.log")
	worker := flag.String("worker", "", "worker `file` for node (default: the example's own)")
	plain := flag.Bool("plain", true, "speak JSON lines on the worker's stdin and stdout")
	workers := flag.Int("workers", 1, "`number` of worker processes")
	flag.Parse()

	command := []string{"node", *worker}
	if *worker == "" {
		command = []string{"node", "--eval", ownWorker}
	}
	if err := run(flags, ipc.Options{Command: command, Plain: *plain, Workers: *workers}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(flags *serve.Flags, opts ipc.Options) error {
	ctx := serve.Context()
	pool, err := ipc.Start(ctx, opts)
	if err != nil {
		return err
	}
	err = flags.Run(ctx, tunnel.New(pool, flags.Config()))
	// No request is left by now, so there is nothing to wait for but the workers' end.
	if err := pool.Shutdown(context.Background()); err != nil {
		slog.Error("workers not stopped", "error", err)
	}
	return err
}
