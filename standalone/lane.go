package standalone

import (
	"fmt"
	"reflect"

	"github.com/bluelibs/go-tunnel/protocol"
)

// LaneVerifier checks the tokens of a lane. Use a *lane.Verifier of package protocol/lane, which
// this package does not import, so that users without lanes do not depend on it. Both methods are
// called concurrently. Both return 401 UNAUTHORIZED.
type LaneVerifier interface {
	// Admit checks everything about a token that can be checked before the body is read.
	Admit(call *protocol.Call) error
	// ConfirmExact checks the same, and also that the token is for the call's payload.
	ConfirmExact(call *protocol.Call) error
}

// Lane makes tasks and events with these ids a served lane of a Runner 6 topology: a call needs a
// token that v accepts, in addition to the authentication of the handler's configuration. If an id
// is both a task's and an event's, both are meant. Ids may be registered later. It panics if v is
// nil, or if an id already has a lane.
//
// The hash in a token is that of the input as Runner's serializer writes it, and as all clients of
// Runner and package client send it. If a client writes a date, or another value with a type of
// its own, in another form, the call is refused.
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

// Admit checks the token of a call whose id has a lane. It makes the registry a tunnel.Gate. The
// error is 401 UNAUTHORIZED.
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

// isNil also finds a nil pointer in the interface, which would accept all calls.
func isNil(v LaneVerifier) bool {
	value := reflect.ValueOf(v)
	return v == nil || value.Kind() == reflect.Pointer && value.IsNil()
}
