// Command hybrid serves some tasks from Go and the rest from Node.js, as one server with
// one allow-list and one discovery:
//
//	go run ./examples/hybrid
//	curl http://127.0.0.1:7070/__runner/discovery -H 'x-runner-token: secret'
//
// Every input is checked against a JSON Schema before any work is done: those of Go are
// derived from the Go types, those of Node.js are announced by its module, tasks.mjs.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/bluelibs/go-tunnel/examples/internal/serve"
	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/schema"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

//go:embed tasks.mjs
var nodeTasks []byte

type addInput struct {
	A float64 `json:"a"`
	B float64 `json:"b"`
}

type user struct {
	Name string `json:"name"`
}

func goTasks() *standalone.Registry {
	registry := standalone.NewRegistry()
	standalone.Task(registry, "app.tasks.add", func(_ context.Context, in addInput) (float64, error) {
		return in.A + in.B, nil
	})
	// The caller's async context "app.user", which comes with the request.
	standalone.Task(registry, "app.tasks.whoami", func(ctx context.Context, _ any) (string, error) {
		caller, ok := standalone.ContextValue[user](ctx, "app.user")
		if !ok {
			return "nobody", nil
		}
		return caller.Name, nil
	})
	return registry
}

func main() {
	flags := serve.Register("", "")
	flags.Try = serve.TryAdd
	flag.Parse()
	if err := run(flags); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(flags *serve.Flags) error {
	registry := goTasks()
	derived, err := schema.Compile(schema.Sources{Tasks: schema.Types(registry.Inputs(protocol.KindTask))})
	if err != nil {
		return err
	}
	module, remove, err := serve.Module(nodeTasks)
	if err != nil {
		return err
	}
	defer remove()

	ctx := serve.Context()
	var announced schema.Announced
	opts := ipc.Node(module)
	opts.Output = serve.Terminal()
	opts.OnSchemas = announced.Update
	pool, err := ipc.Start(ctx, opts)
	if err != nil {
		return err
	}
	config := flags.Config()
	config.Schemas = schema.Join(derived.Schemas, announced.Schemas)
	config.Middleware = []tunnel.Middleware{tunnel.Check(derived.Check), tunnel.Check(announced.Check)}
	err = flags.Run(ctx, tunnel.New(tunnel.Route(registry, pool), config))
	return errors.Join(err, pool.Shutdown(context.Background()))
}
