// Command runner serves a real BlueLibs Runner application, app.js, from Go:
//
//	npm ci --prefix examples/runner
//	go run ./examples/runner
//
// The application has no HTTP of its own: its tunnel says what may be called, its
// tasks run as they are. expose.js serves the same application by Runner's own
// exposure, for comparison.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/bluelibs/go-tunnel/examples/internal/serve"
	"github.com/bluelibs/go-tunnel/ipc"

	tunnel "github.com/bluelibs/go-tunnel"
)

func main() {
	flags := serve.Register("", "")
	flags.Try = serve.TryAdd
	app := flag.String("app", "examples/runner/app.js", "the application's main module, a `file`")
	workers := flag.Int("workers", 1, "`number` of worker processes")
	flag.Parse()
	if err := run(flags, *app, *workers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(flags *serve.Flags, app string, workers int) error {
	ctx := serve.Context()
	opts := ipc.Node(app)
	opts.Output = serve.Terminal()
	opts.Workers = workers
	pool, err := ipc.Start(ctx, opts)
	if err != nil {
		return err
	}
	flags.Ready = pool.Ready
	config := flags.Config()
	config.Authenticate = pool.Authenticate // the application's auth validators, if it has any
	err = flags.Run(ctx, tunnel.New(pool, config))
	return errors.Join(err, pool.Shutdown(context.Background()))
}
