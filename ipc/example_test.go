package ipc_test

import (
	"context"
	"fmt"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
)

// A pool is an Executor: give it to tunnel.New, or call it as here.
func ExampleStart() {
	ctx := context.Background()
	opts := ipc.Node("../examples/ipc/tasks.mjs")
	opts.Workers = 2
	pool, err := ipc.Start(ctx, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Shutdown(ctx)

	reply, err := pool.Execute(ctx, &protocol.Call{ID: "app.tasks.greet", Payload: []byte(`{"name":"Ada"}`)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(reply.Value))
	// Output: "Hello, Ada!"
}

// A worker that needs no library speaks the plain wire.
func ExampleStart_plain() {
	ctx := context.Background()
	pool, err := ipc.Start(ctx, ipc.Options{
		Command: []string{"node", "../examples/ipc/node-worker.js"},
		Wire:    ipc.PlainWire,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Shutdown(ctx)

	reply, err := pool.Execute(ctx, &protocol.Call{ID: "app.tasks.add", Payload: []byte(`{"a":5,"b":3}`)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(reply.Value))
	// Output: 8
}
