// Command runner serves a real BlueLibs Runner application, app.js, from Go:
//
//	go run ./examples/runner
//
// It has the application with it, and lets npm install its packages into a folder that is
// removed at the end. Those who want them installed once name the application's own folder:
//
//	npm ci --prefix examples/runner
//	go run ./examples/runner -app examples/runner/app.js
//
// The application has no HTTP of its own: its tunnel says what may be called, its
// tasks run as they are. expose.js serves the same application by Runner's own
// exposure, for comparison.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/bluelibs/go-tunnel/examples/internal/serve"
	"github.com/bluelibs/go-tunnel/ipc"

	tunnel "github.com/bluelibs/go-tunnel"
)

//go:embed app.js package.json package-lock.json .npmrc
var application embed.FS

func main() {
	flags := serve.Register("", "")
	flags.Try = serve.TryAdd
	app := flag.String("app", "", "the application's main module, a `file` (default: the example's own)")
	workers := flag.Int("workers", 1, "`number` of worker processes")
	flag.Parse()
	if err := run(flags, *app, *workers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(flags *serve.Flags, app string, workers int) error {
	ctx := serve.Context()
	if app == "" {
		dir, err := os.MkdirTemp("", "go-tunnel-example-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if app, err = install(ctx, dir); err != nil {
			return err
		}
	}
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

// install puts the example's own application into a folder, with its packages.
func install(ctx context.Context, dir string) (app string, err error) {
	if err := os.CopyFS(dir, application); err != nil {
		return "", err
	}
	npm := exec.CommandContext(ctx, "npm", "ci", "--no-fund", "--no-audit", "--loglevel=error")
	npm.Dir, npm.Stderr = dir, os.Stderr
	if err := npm.Run(); err != nil {
		return "", fmt.Errorf("npm ci: %w", err)
	}
	return filepath.Join(dir, "app.js"), nil
}
