package protocoltest_test

import (
	"context"
	"testing"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/protocoltest"
)

// broker is an executor of your own, which serves the kit's test application.
type broker struct{}

func newBroker(testing.TB) broker { return broker{} }

func (broker) Execute(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
	return nil, protocol.UnknownID(call.Kind, call.ID)
}

// A test of package broker holds its executor to the contract of tunnel.Executor.
func ExampleRunExecutor() {
	_ = func(t *testing.T) { // func TestExecutor(t *testing.T)
		protocoltest.RunExecutor(t, func(t *testing.T) protocoltest.Executor {
			return newBroker(t) // and t.Cleanup(…) for what it opens
		})
	}
}
