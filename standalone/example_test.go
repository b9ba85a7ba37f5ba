package standalone_test

import (
	"context"
	"fmt"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"
)

// A raw handler sees the bytes of the input and gives bytes back.
func ExampleRegistry_HandleTask() {
	tasks := standalone.NewRegistry()
	tasks.HandleTask("app.tasks.echo", func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		return &protocol.Reply{Value: call.Payload}, nil
	})

	reply, err := tasks.Execute(context.Background(), &protocol.Call{ID: "app.tasks.echo", Payload: []byte(`{"n": 1.0}`)})
	fmt.Println(string(reply.Value), err)
	// Output: {"n": 1.0} <nil>
}

// CallFrom gives a typed handler what does not stand in its input.
func ExampleCallFrom() {
	tasks := standalone.NewRegistry()
	standalone.Task(tasks, "app.tasks.whoami", func(ctx context.Context, _ any) (string, error) {
		return fmt.Sprint(standalone.CallFrom(ctx).Identity), nil
	})

	reply, err := tasks.Execute(context.Background(), &protocol.Call{ID: "app.tasks.whoami", Identity: "ada"})
	fmt.Println(string(reply.Value), err)
	// Output: "ada" <nil>
}
