package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"sync/atomic"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/serve"
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

// Gate is implemented by an Executor that has rules of its own about who may call what,
// such as the tokens of RPC lanes. New looks for it as it does for a Lister. An executor
// must also refuse by itself, in Execute, what has not passed: it may be wrapped.
//
// Both methods are called concurrently and may keep what they find out in the call's
// Ticket. An error is answered as that of Execute would be.
type Gate interface {
	// Admit is asked after authentication and the allow-list, before the body is read: the
	// call has no Payload, Body or Form yet.
	Admit(call *protocol.Call) error
	// Confirm is asked when the Payload of an admitted call is known. Calls with a Body or a
	// Form are not confirmed.
	Confirm(call *protocol.Call) error
}

// Middleware wraps an Executor in another one, for what the protocol does not
// define: rate limits, metrics, tracing, caching. What an HTTP middleware can do as
// well, do there.
type Middleware func(Executor) Executor

// Check returns a Middleware that asks check before every call. A call that it has an
// error for goes no further: what protocol/schema and protocol/ratelimit are for. Check
// is called concurrently and keeps the rules of Execute; it must not read a call's body.
func Check(check func(ctx context.Context, call *protocol.Call) error) Middleware {
	return func(next Executor) Executor {
		return ExecutorFunc(func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
			if err := check(ctx, call); err != nil {
				return nil, err
			}
			return next.Execute(ctx, call)
		})
	}
}

// CheckReply returns a Middleware that asks check about every reply. An error stands in
// its place, and is private unless it is a *protocol.Error.
func CheckReply(check func(ctx context.Context, call *protocol.Call, reply *protocol.Reply) error) Middleware {
	return func(next Executor) Executor {
		return ExecutorFunc(func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
			reply, err := next.Execute(ctx, call)
			if err != nil || reply == nil {
				return reply, err
			}
			if err := check(ctx, call, reply); err != nil {
				if reply.Stream != nil {
					_ = reply.Stream.Close()
				}
				return nil, err
			}
			return reply, nil
		})
	}
}

// settled makes what comes of a call what its caller gets, whether the executor failed,
// panicked, or was made to stop. It is below every Middleware, which sees that.
type settled struct{ Executor }

func (s settled) Execute(ctx context.Context, call *protocol.Call) (reply *protocol.Reply, err error) {
	defer func() {
		if v := recover(); v != nil {
			reply, err = nil, outcome(ctx, panicked(v))
		}
	}()
	reply, err = s.Executor.Execute(ctx, call)
	if err == nil && reply == nil {
		err = errors.New("tunnel: the executor returned neither a reply nor an error")
	}
	if err != nil {
		if broken := broken(call); broken != nil {
			return nil, broken // and not what the task made of it
		}
		return nil, outcome(ctx, err)
	}
	if _, done := reply.Stream.(*settledStream); reply.Stream == nil || done {
		return reply, nil
	}
	streamed := *reply // it may be one for all calls
	streamed.Stream = &settledStream{ctx, reply.Stream}
	return &streamed, nil
}

// broken returns what is wrong with the body of a call that is read while the task runs.
func broken(call *protocol.Call) error {
	if call.Form != nil {
		return call.Form.Err()
	}
	if body, ok := call.Body.(*serve.Body); ok {
		return body.Err()
	}
	return nil
}

// finishing reads the rest of a call's form. What is wrong with it counts more than what
// the task makes of it; a streamed reply may read on in its files.
type finishing struct{ Executor }

func (f finishing) Execute(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
	reply, err := f.Executor.Execute(ctx, call)
	if call.Form == nil {
		return reply, err
	}
	streamed := err == nil && reply != nil && reply.Stream != nil
	formErr := call.Form.Err()
	if ctx.Err() == nil {
		formErr = call.Form.Finish(streamed)
	}
	if formErr == nil {
		return reply, err
	}
	if streamed {
		formErr = errors.Join(formErr, reply.Stream.Close())
	}
	return nil, formErr
}

// requestKey is that of a request's own context in those that Middleware derives from it:
// when one of these is cancelled, it is not the caller who has left.
type requestKey struct{}

// outcome makes the error of an execution one of the request where that is over.
func outcome(ctx context.Context, err error) error {
	request, ok := ctx.Value(requestKey{}).(context.Context)
	if !ok { // no Middleware has one of its own
		request = ctx
	}
	var over protocol.Code
	switch {
	case errors.Is(request.Err(), context.Canceled):
		over = protocol.CodeRequestAborted
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && errors.Is(err, ctx.Err()):
		over = protocol.CodeTaskTimeout
	}
	if over == "" || over == protocol.CodeOf(err) {
		return err
	}
	return &protocol.Error{Code: over, Err: err}
}

// settledStream is the stream of a reply whose errors are settled.
type settledStream struct {
	ctx context.Context
	io.ReadCloser
}

func (s *settledStream) Read(p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, panicked(v)
		}
		if err != nil && err != io.EOF {
			err = outcome(s.ctx, err)
		}
	}()
	return s.ReadCloser.Read(p)
}

func (s *settledStream) Close() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
		}
		if err != nil {
			err = outcome(s.ctx, err)
		}
	}()
	return s.ReadCloser.Close()
}

// panicError is a panic that was recovered. It is private, whatever its value.
type panicError struct {
	value any
	stack []byte
}

// panicked returns the error for what recover has returned.
func panicked(v any) error { return &panicError{v, debug.Stack()} }

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

// asksToAbort reports whether err is the panic that asks for the end of the connection.
func asksToAbort(err error) bool {
	var p *panicError
	return errors.As(err, &p) && p.value == http.ErrAbortHandler
}

// isPanic reports whether err is any other panic.
func isPanic(err error) bool { return errors.As(err, new(*panicError)) && !asksToAbort(err) }

// Route returns an executor that is made of several: each call goes to the first one
// that lists its id, and what none of them lists to the last one. All but the last must
// be a Lister to get any. The Router lists what they list together, and follows them
// when that changes. It panics without an executor.
//
//	tunnel.New(tunnel.Route(registry, pool), config)
func Route(first Executor, more ...Executor) *Router {
	r := &Router{parts: append([]Executor{first}, more...)}
	if slices.Contains(r.parts, nil) {
		panic("tunnel: Route needs executors")
	}
	for _, part := range r.parts {
		lister, _ := part.(Lister)
		r.listers = append(r.listers, lister)
		gate, _ := part.(Gate)
		r.gates = append(r.gates, gate)
	}
	return r
}

// Router is an Executor and a Lister that is made of others. Make one with Route.
type Router struct {
	parts   []Executor
	listers []Lister // of the parts, nil for those that are none
	gates   []Gate   // likewise
	merged  atomic.Pointer[mergedList]
}

// mergedList is a list and those that it was made of, which never change themselves.
type mergedList struct {
	of   []*protocol.AllowList
	list *protocol.AllowList
}

// Execute runs the call on the part that lists its id.
func (r *Router) Execute(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
	return r.parts[r.partOf(call)].Execute(ctx, call)
}

func (r *Router) partOf(call *protocol.Call) int {
	last := len(r.parts) - 1
	for i := range r.parts[:last] {
		if r.listOf(i).Allows(call.Kind, call.ID) {
			return i
		}
	}
	return last
}

// Admit asks the part that the call is for, if it is a Gate.
func (r *Router) Admit(call *protocol.Call) error {
	if gate := r.gates[r.partOf(call)]; gate != nil {
		return gate.Admit(call)
	}
	return nil
}

// Confirm asks the part that the call is for, if it is a Gate.
func (r *Router) Confirm(call *protocol.Call) error {
	if gate := r.gates[r.partOf(call)]; gate != nil {
		return gate.Confirm(call)
	}
	return nil
}

// List returns the ids of all parts, sorted within each; nil if all lists are nil.
func (r *Router) List() *protocol.AllowList {
	merged := r.merged.Load()
	if merged != nil && r.unchanged(merged.of) {
		return merged.list
	}
	lists := make([]*protocol.AllowList, len(r.parts))
	for i := range r.parts {
		lists[i] = r.listOf(i)
	}
	merged = &mergedList{lists, merge(lists)}
	r.merged.Store(merged)
	return merged.list
}

func (r *Router) unchanged(lists []*protocol.AllowList) bool {
	for i, list := range lists {
		if r.listOf(i) != list {
			return false
		}
	}
	return true
}

// listOf returns what a part lists, nil if it is no Lister.
func (r *Router) listOf(part int) *protocol.AllowList {
	if r.listers[part] == nil {
		return nil
	}
	return r.listers[part].List()
}

func merge(lists []*protocol.AllowList) (merged *protocol.AllowList) {
	var tasks, events []string
	for _, list := range lists {
		tasks = append(tasks, list.IDs(protocol.KindTask)...)
		events = append(events, list.IDs(protocol.KindEvent)...)
	}
	if slices.ContainsFunc(lists, func(list *protocol.AllowList) bool { return list != nil }) {
		merged = protocol.NewAllowList(tasks, events).WithAliases(mergeAliases(lists))
	}
	return merged
}

// mergeAliases leaves out what means one thing here and another one there.
func mergeAliases(lists []*protocol.AllowList) map[string]string {
	var merged map[string]string
	twice := map[string]bool{}
	for _, list := range lists {
		for alias, id := range list.Aliases() {
			if merged == nil {
				merged = map[string]string{}
			}
			if known, ok := merged[alias]; ok && known != id {
				twice[alias] = true
			}
			merged[alias] = id
		}
	}
	for alias := range twice {
		delete(merged, alias)
	}
	return merged
}
