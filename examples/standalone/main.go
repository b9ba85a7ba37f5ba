// Command standalone serves tasks that are Go functions:
//
//	go run ./examples/standalone
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"github.com/bluelibs/go-tunnel/examples/internal/serve"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

type addInput struct {
	A float64 `json:"a"`
	B float64 `json:"b"`
}

type greetInput struct {
	Name string `json:"name"`
}

type notification struct {
	Message string `json:"message"`
}

func newRegistry() *standalone.Registry {
	registry := standalone.NewRegistry()
	standalone.Task(registry, "app.tasks.add", func(_ context.Context, in addInput) (float64, error) {
		return in.A + in.B, nil
	})
	standalone.Task(registry, "app.tasks.greet", func(_ context.Context, in greetInput) (string, error) {
		return "Hello, " + in.Name + "!", nil
	})
	standalone.Task(registry, "app.tasks.fail", func(context.Context, any) (any, error) {
		return nil, errors.New("this text stays in the log")
	})
	standalone.Event(registry, "app.events.notify", func(_ context.Context, n notification) error {
		slog.Info("notified", "message", n.Message)
		return nil
	})
	standalone.Event(registry, "app.events.log", func(ctx context.Context, payload any) error {
		slog.Info("logged", "payload", payload, "requestId", standalone.CallFrom(ctx).RequestID)
		return nil
	})
	// The raw tier sees bytes: no value is decoded here, so none is changed.
	registry.HandleTask("app.tasks.echo", func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		return &protocol.Reply{Value: call.Payload}, nil
	})
	return registry
}

func main() {
	flags := serve.Register("app.tasks.add,app.tasks.greet,app.tasks.echo,app.tasks.fail", "app.events.notify,app.events.log")
	flags.Try = serve.TryAdd
	flags.FrontFlag()
	flag.Parse()
	if err := flags.Run(serve.Context(), tunnel.New(newRegistry(), flags.Config())); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
