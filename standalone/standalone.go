// Package standalone runs tasks and events that are Go functions in this process. It does no I/O
// and starts no goroutine: a handler runs on the goroutine of its request.
//
//	registry := standalone.NewRegistry()
//	standalone.Task(registry, "app.tasks.add", func(ctx context.Context, in AddInput) (int, error) {
//		return in.A + in.B, nil
//	})
//	http.Handle("/__runner/", tunnel.New(registry, tunnel.Config{Tokens: []string{"secret"}}))
//
// There are two tiers. [Task] and [Event] take typed functions: they decode the input and encode
// the result with goccy/go-json, or in the dialect of the registry's Codec. In the raw tier,
// [Registry.HandleTask] and [Registry.HandleEvent], a handler gets and returns bytes.
//
// A handler returns a *protocol.Error if its caller should see the error. For any other error, and
// for a panic, the caller gets a plain internal error, and the tunnel.Handler logs the cause.
package standalone

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/bluelibs/go-tunnel/protocol"
)

// HandlerFunc is a raw handler. The rules of tunnel.Executor are valid for it, in particular that
// it should return when ctx is done.
type HandlerFunc func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error)

// Registry is a set of tasks and events, and the executor that runs them. The zero value is empty.
// Its methods may be called concurrently; handlers may be added while calls are running.
type Registry struct {
	// Codec is the dialect of JSON for the inputs and results of typed handlers: a
	// *serializer.Codec for the clients of Runner 5 and later, an *ejson.Codec for those of Runner
	// 4. Set it before the first call. Nil means plain JSON.
	Codec protocol.Codec

	mu       sync.RWMutex
	handlers [2]map[string]HandlerFunc
	inputs   [2]map[string]reflect.Type // of typed handlers
	ids      [2][]string
	list     *protocol.AllowList
	lanes    map[string]LaneVerifier // by the ids of tasks and events
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry { return &Registry{} }

// HandleTask registers a raw task handler. It panics if id is empty or registered already, or if
// fn is nil.
func (r *Registry) HandleTask(id string, fn HandlerFunc) { r.add(protocol.KindTask, id, fn) }

// HandleEvent registers a raw event handler. If the call asks for the final payload, the handler
// must return it as the reply's Value. It panics as HandleTask does; a task and an event may have
// the same id.
func (r *Registry) HandleEvent(id string, fn HandlerFunc) { r.add(protocol.KindEvent, id, fn) }

func (r *Registry) add(kind protocol.Kind, id string, fn HandlerFunc) {
	if id == "" || fn == nil {
		panic(fmt.Sprintf("standalone: %s %q needs an id and a function", kind, id))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, taken := r.handlers[kind][id]; taken {
		panic(fmt.Sprintf("standalone: %s %q is registered twice", kind, id))
	}
	if r.handlers[kind] == nil {
		r.handlers[kind] = make(map[string]HandlerFunc)
	}
	r.handlers[kind][id] = fn
	r.ids[kind] = append(r.ids[kind], id)
	r.list = nil
}

// List returns the ids of all tasks and events, in the order of registration.
func (r *Registry) List() *protocol.AllowList {
	r.mu.RLock()
	list := r.list
	r.mu.RUnlock()
	if list != nil {
		return list
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.list == nil {
		r.list = protocol.NewAllowList(slices.Clone(r.ids[protocol.KindTask]), slices.Clone(r.ids[protocol.KindEvent]))
	}
	return r.list
}

// Execute runs the handler of the call's id. If the id has a lane, it checks the call's token
// first, unless that has been done.
func (r *Registry) Execute(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
	r.mu.RLock()
	fn, verifier := r.handlers[call.Kind][call.ID], r.lanes[call.ID]
	r.mu.RUnlock()
	if fn == nil {
		return nil, protocol.UnknownID(call.Kind, call.ID)
	}
	if verifier != nil {
		if err := verifier.ConfirmExact(call); err != nil {
			return nil, err
		}
	}
	return fn(ctx, call)
}
