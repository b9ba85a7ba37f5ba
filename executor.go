package tunnel

import (
	"context"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Executor runs tasks and emits events. Packages standalone and ipc have one each;
// writing another means to keep these sentences, each of which is a case of
// protocoltest.RunExecutor:
//
//  1. Execute may be called from many goroutines at once.
//  2. It returns soon after ctx is done, with whatever error.
//  3. It keeps no reference to the call, or to anything in it, after it has
//     returned, or for a streamed reply after the stream is closed; the reply's
//     Value alone may alias the call's Payload.
//  4. It returns either a reply or an error, never both and never neither.
//  5. An id that it does not serve gives a *protocol.Error with CodeNotFound.
//  6. An error without a *protocol.Error in its chain is private: its text is
//     logged and never leaves the process.
//  7. A reply's Value is one valid JSON document, or nil.
type Executor interface {
	Execute(ctx context.Context, call *protocol.Call) (*protocol.Reply, error)
}

// ExecutorFunc is a function as an Executor.
type ExecutorFunc func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error)

// Execute calls f.
func (f ExecutorFunc) Execute(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
	return f(ctx, call)
}

// Lister is implemented by an Executor that knows what it serves. New looks for it
// once, before any Middleware wraps the executor, and the Handler asks it at every
// request unless Config.AllowList is set: List must be fast and safe for concurrent
// use. A nil list is closed.
type Lister interface {
	List() *protocol.AllowList
}

// Middleware wraps an Executor in another one, for what the protocol does not
// define: rate limits, metrics, tracing, caching. What an HTTP middleware can do as
// well, do there.
type Middleware func(Executor) Executor
