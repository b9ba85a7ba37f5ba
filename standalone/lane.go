package standalone

import (
	"fmt"
	"reflect"

	"github.com/bluelibs/go-tunnel/protocol"
)

// LaneVerifier checks the tokens of a lane. A *lane.Verifier of package protocol/lane is
// one: this package does not import it, so that whoever has no lanes does not get what it
// needs. Both methods are called concurrently, and both errors are 401 UNAUTHORIZED.
type LaneVerifier interface {
	// Admit checks all of a token that can be checked before the body is read.
	Admit(call *protocol.Call) error
	// ConfirmExact checks the same, and that the token is for the call's payload.
	ConfirmExact(call *protocol.Call) error
}

// Lane makes tasks and events of these ids a served lane of a Runner 6 topology: whoever
// calls one needs a token that v takes, on top of what the handler's configuration asks
// for. An id that is both a task's and an event's is meant as both, and ids may be
// registered later. It panics if v is nil, or if an id is on a lane already.
//
// The hash in a token is that of the input as Runner's serializer writes it, and as all
// clients of Runner and package client send it. A date, or another value with a type of its
// own, that somebody writes in another way is refused.
func (r *Registry) Lane(v LaneVerifier, ids ...string) {
	if isNil(v) {
		panic("standalone: a lane needs a verifier")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lanes == nil {
		r.lanes = make(map[string]LaneVerifier)
	}
	for _, id := range ids {
		if r.lanes[id] != nil {
			panic(fmt.Sprintf("standalone: %q is on a lane already", id))
		}
		r.lanes[id] = v
	}
}

func (r *Registry) laneOf(id string) LaneVerifier {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.lanes[id]
}

// Admit checks the token of a call whose id is on a lane. It makes the registry a
// tunnel.Gate. The error is 401 UNAUTHORIZED.
func (r *Registry) Admit(call *protocol.Call) error {
	if v := r.laneOf(call.ID); v != nil {
		return v.Admit(call)
	}
	return nil
}

// Confirm checks that the token of a call is for its payload.
func (r *Registry) Confirm(call *protocol.Call) error {
	if v := r.laneOf(call.ID); v != nil {
		return v.ConfirmExact(call)
	}
	return nil
}

// isNil also finds a nil pointer in the interface, which would let everybody in.
func isNil(v LaneVerifier) bool {
	value := reflect.ValueOf(v)
	return v == nil || value.Kind() == reflect.Pointer && value.IsNil()
}
