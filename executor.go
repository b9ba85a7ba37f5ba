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

// Executor runs tasks and emits events. Packages standalone and ipc have an executor each.
// Every executor keeps these sentences, and each sentence is a case of
// protocoltest.RunExecutor:
//
//  1. Execute may be called from many goroutines at once.
//  2. It returns soon after ctx is done, with any error.
//  3. It keeps no reference to the call, or to anything in it, after it has
//     returned, or for a streamed reply after the stream is closed; the reply's
//     Value alone may alias the call's Payload.
//  4. It returns either a reply or an error, never both and never neither.
//  5. For an id that it does not serve it returns a *protocol.Error with CodeNotFound.
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

// Lister is implemented by an Executor that knows what it serves. New looks for it once,
// before any Middleware wraps the executor. The Handler calls List at every request: it must
// be fast and safe for concurrent use. A nil list allows nothing.
type Lister interface {
	List() *protocol.AllowList
}

// Gate is implemented by an Executor that has rules of its own about who may call what,
// such as the tokens of RPC lanes. New looks for it as it looks for a Lister. Execute must
// check the same rules, since an executor that is wrapped may be called without its Gate.
//
// Both methods are called concurrently and may store their findings in the call's Ticket.
// Their errors are answered like errors of Execute.
type Gate interface {
	// Admit is called after authentication and the allow-list, before the body is read: the
	// call has no Payload, Body or Form yet.
	Admit(call *protocol.Call) error
	// Confirm is called when the Payload of an admitted call is known. It is not called for
	// calls with a Body or a Form.
	Confirm(call *protocol.Call) error
}

// Middleware wraps an Executor in another one, for what the protocol does not define: rate
// limits, metrics, tracing, caching. Use an HTTP middleware for everything that it can do
// as well.
type Middleware func(Executor) Executor

// Check returns a Middleware that calls check before every call, and does not execute the
// call if check returns an error. Packages protocol/schema and protocol/ratelimit have such
// functions. Check is called concurrently and keeps the rules of Execute. It must not read a
// call's body.
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

// CheckReply returns a Middleware that calls check with every reply. An error replaces the
// reply, and is private unless it is a *protocol.Error.
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

// normalized turns the panics of an executor into errors, and its errors into errors of the
// request if that is over. It is below every Middleware, so that each of them sees this.
type normalized struct{ Executor }

func (n normalized) Execute(ctx context.Context, call *protocol.Call) (reply *protocol.Reply, err error) {
	defer func() {
		if v := recover(); v != nil {
			reply, err = nil, requestError(ctx, newPanicError(v))
		}
	}()
	reply, err = n.Executor.Execute(ctx, call)
	if err == nil && reply == nil {
		err = errors.New("tunnel: the executor returned neither a reply nor an error")
	}
	if err != nil {
		if bodyErr := bodyError(call); bodyErr != nil {
			return nil, bodyErr // and not the error that the task made of it
		}
		return nil, requestError(ctx, err)
	}
	if _, done := reply.Stream.(*normalizedStream); reply.Stream == nil || done {
		return reply, nil
	}
	streamed := *reply // several calls may share a reply
	streamed.Stream = &normalizedStream{ctx, reply.Stream}
	return &streamed, nil
}

// bodyError returns the error of a body or form that is read while the task runs.
func bodyError(call *protocol.Call) error {
	if call.Form != nil {
		return call.Form.Err()
	}
	if body, ok := call.Body.(*serve.Body); ok {
		return body.Err()
	}
	return nil
}

// formReading reads the rest of a call's form. An error of the form counts more than the
// error that the task makes of it. A streamed reply may still read the form's files.
type formReading struct{ Executor }

func (f formReading) Execute(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
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

// requestKey is the key of the request's own context. Middleware may derive others from it,
// and if only a derived context is cancelled, the caller has not left.
type requestKey struct{}

// requestError returns the error of an execution: if the request is over, that is the reason.
func requestError(ctx context.Context, err error) error {
	request, ok := ctx.Value(requestKey{}).(context.Context)
	if !ok { // there is no Middleware
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

// normalizedStream is the stream of a reply with the errors of a normalized executor.
type normalizedStream struct {
	ctx context.Context
	io.ReadCloser
}

func (s *normalizedStream) Read(p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, newPanicError(v)
		}
		if err != nil && err != io.EOF {
			err = requestError(s.ctx, err)
		}
	}()
	return s.ReadCloser.Read(p)
}

func (s *normalizedStream) Close() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
		if err != nil {
			err = requestError(s.ctx, err)
		}
	}()
	return s.ReadCloser.Close()
}

// panicError is a recovered panic. It is private, whatever its value.
type panicError struct {
	value any
	stack []byte
}

// newPanicError returns the error for a value that recover has returned.
func newPanicError(v any) error { return &panicError{v, debug.Stack()} }

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

// isAbort reports whether err is a panic with http.ErrAbortHandler, which demands that the
// connection is closed.
func isAbort(err error) bool {
	var p *panicError
	return errors.As(err, &p) && p.value == http.ErrAbortHandler
}

// isPanic reports whether err is any other panic.
func isPanic(err error) bool { return errors.As(err, new(*panicError)) && !isAbort(err) }

// Route returns an executor that consists of several others. It executes each call on the
// first executor that lists the id, or on the last one if none does. Only the last one needs
// no Lister. The Router's own list is the union of the executors' current lists. Route panics
// if an executor is nil.
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

// Router is an Executor, a Lister and a Gate that consists of others. Make one with Route.
type Router struct {
	parts   []Executor
	listers []Lister // of the parts, nil for a part that is no Lister
	gates   []Gate   // of the parts, nil for a part that is no Gate
	merged  atomic.Pointer[mergedList]
}

// mergedList is a list and the lists that it was made of. Lists never change.
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

// Admit calls Admit of the part that the call is for, if that is a Gate.
func (r *Router) Admit(call *protocol.Call) error {
	if gate := r.gates[r.partOf(call)]; gate != nil {
		return gate.Admit(call)
	}
	return nil
}

// Confirm calls Confirm of the part that the call is for, if that is a Gate.
func (r *Router) Confirm(call *protocol.Call) error {
	if gate := r.gates[r.partOf(call)]; gate != nil {
		return gate.Confirm(call)
	}
	return nil
}

// List returns the ids of all parts, sorted within each part, or nil if all lists are nil.
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

// mergeAliases leaves out aliases that have different meanings in different lists.
func mergeAliases(lists []*protocol.AllowList) map[string]string {
	var merged map[string]string
	ambiguous := map[string]bool{}
	for _, list := range lists {
		for alias, id := range list.Aliases() {
			if merged == nil {
				merged = map[string]string{}
			}
			if known, ok := merged[alias]; ok && known != id {
				ambiguous[alias] = true
			}
			merged[alias] = id
		}
	}
	for alias := range ambiguous {
		delete(merged, alias)
	}
	return merged
}
