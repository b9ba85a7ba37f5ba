// Command ipc serves the tasks of Node.js workers:
//
//	go run ./examples/ipc
//	go run ./examples/ipc -worker my-tasks.mjs
//	go run ./examples/ipc -runtime bun -worker my-tasks.ts
//	go run ./examples/ipc -plain -worker my-worker.js -tasks my.task
//	go run ./examples/ipc -plain -tasks my.task -- python3 my-worker.py
//
// It needs node on PATH, or bun or deno. Arguments are a worker's whole command. SIGHUP replaces the workers by new ones, which nobody notices. A
// worker is a module that exports its tasks, see tasks.mjs, or with -plain a program that
// reads and writes JSON lines, see node-worker.js.
//
// With -watch they are replaced, too, when nothing has changed for 0.3 s after a change of
// the sources: JavaScript, TypeScript and JSON in the worker's folder, where it is without
// symbolic links, and in those below it, but node_modules and hidden ones. Folders above
// are watched for another folder or link of the same name in the place of those that lead
// there. What is imported from elsewhere is not watched, nor are folders behind links below.
//
//	go run ./examples/ipc -watch -worker src/tasks.ts -flags "--import tsx --inspect=127.0.0.1:0 --env-file=.env"
//
// runs TypeScript without a build (in a folder whose node_modules has tsx), with a debugger.
// Node.js from 22.18 on needs no tsx for types that it can leave out, Bun and Deno never do.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/bluelibs/go-tunnel/examples/internal/serve"
	"github.com/bluelibs/go-tunnel/ipc"

	tunnel "github.com/bluelibs/go-tunnel"
)

// A plain worker cannot announce what it serves.
const ownIDs, ownEventIDs = "app.tasks.add,app.tasks.greet,app.tasks.echo,app.tasks.fail", "app.events.notify,app.events.log"

func main() {
	flags := serve.Register("", "")
	flags.Try = serve.TryAdd
	flags.FrontFlag()
	worker := flag.String("worker", "", "worker `file`: a module, or with -plain a program (default: the example's own)")
	runtime := flag.String("runtime", "node", "what runs JavaScript: node, bun or deno")
	options := flag.String("flags", "", "its `flags`, with spaces between")
	plain := flag.Bool("plain", false, "speak JSON lines on the worker's stdin and stdout")
	workers := flag.Int("workers", 1, "`number` of worker processes")
	watch := flag.Bool("watch", false, "reload when a source file beside the worker's changes (for development)")
	flag.Parse()
	if err := run(flags, program{*runtime, strings.Fields(*options), *worker, flag.Args(), *plain}, *workers, *watch); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(flags *serve.Flags, worker program, workers int, watch bool) error {
	watched := ""
	if watch {
		if worker.file == "" {
			return errors.New("-watch needs -worker")
		}
		watched = worker.file
	}
	opts, remove, err := worker.options()
	if err != nil {
		return err
	}
	defer remove()
	opts.Workers, opts.Output = workers, serve.Terminal()
	if watch {
		opts.DrainTimeout = time.Second // a page left open keeps no old version running
	}
	if worker.plain {
		flags.Default(ownIDs, ownEventIDs)
	}

	ctx := serve.Context()
	pool, err := ipc.Start(ctx, opts)
	switch {
	case err != nil && !worker.plain:
		return fmt.Errorf("%w\nIf the worker reads and writes JSON lines by itself, add -plain", err)
	case err != nil:
		return err
	}
	reloads, err := newReloader(pool, watched)
	if err != nil {
		return errors.Join(err, pool.Close())
	}
	ctx, stop := context.WithCancel(ctx)
	var reloading sync.WaitGroup
	reloading.Go(func() { reloads.run(ctx) })
	flags.Ready = pool.Ready
	config := flags.Config()
	config.Authenticate = pool.Authenticate // asks the worker, if that has an opinion
	err = flags.Run(ctx, tunnel.New(pool, config))
	stop()
	reloading.Wait()
	// No request is left by now, so there is nothing to wait for but the workers' end.
	if err := pool.Shutdown(context.Background()); err != nil {
		slog.Error("workers not stopped", "error", err)
	}
	return err
}
