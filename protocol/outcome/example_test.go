package outcome_test

import (
	"context"
	"fmt"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/outcome"

	tunnel "github.com/bluelibs/go-tunnel"
)

// A Middleware that counts how calls end, streamed ones included.
func ExampleWatch() {
	ends := map[protocol.Code]int{} // a real one has a lock
	count := func(next tunnel.Executor) tunnel.Executor {
		return tunnel.ExecutorFunc(func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
			return outcome.Watch(ctx, next, call, func(result outcome.Result) { ends[result.Code]++ })
		})
	}
	exec := count(tunnel.ExecutorFunc(func(context.Context, *protocol.Call) (*protocol.Reply, error) {
		return nil, &protocol.Error{Code: protocol.CodeInvalidInput}
	}))
	_, _ = exec.Execute(context.Background(), &protocol.Call{ID: "app.tasks.add"})
	fmt.Println(ends)
	// Output: map[INVALID_INPUT:1]
}
