package ipc

import (
	"errors"
	"fmt"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/lane"
)

// announcement is what the newest worker serves.
type announcement struct {
	hello      *wire.Hello
	list       *protocol.AllowList
	idempotent map[string]bool
	lanes      laneRules
}

// announce publishes the hello of the newest worker if it has not done so. The lock is held.
func (p *Pool) announce() {
	entry := p.sched.Newest()
	if entry == nil {
		return
	}
	hello := entry.Handle.(*worker).hello
	if hello == nil || hello == p.announced.Load().hello {
		return
	}
	lanes, _ := newLaneRules(hello) // see accept
	p.announced.Store(&announcement{
		hello:      hello,
		list:       hello.AllowList(),
		idempotent: set(p.opts.Idempotent, hello.Idempotent),
		lanes:      lanes,
	})
}

func set(lists ...[]string) map[string]bool {
	members := map[string]bool{}
	for _, list := range lists {
		for _, id := range list {
			members[id] = true
		}
	}
	return members
}

// laneRules are the verifiers of tasks and events, by id.
type laneRules [2]map[string]*lane.Verifier

func (r *laneRules) of(call *protocol.Call) *lane.Verifier { return r[call.Kind][call.ID] }

// newLaneRules returns the verifiers of a hello's lanes. It is an error if two lanes have the same
// id: each lane would accept calls that the other one refuses.
func newLaneRules(hello *wire.Hello) (rules laneRules, err error) {
	for _, announced := range hello.Lanes {
		verifier, err := newVerifier(&announced)
		if err != nil {
			return laneRules{}, fmt.Errorf("lane %q: %w", announced.Name, err)
		}
		for kind, ids := range [][]string{protocol.KindTask: announced.Tasks, protocol.KindEvent: announced.Events} {
			for _, id := range ids {
				if rules[kind] == nil {
					rules[kind] = map[string]*lane.Verifier{}
				}
				if rules[kind][id] != nil {
					return laneRules{}, fmt.Errorf("%s %q is on two lanes with tokens", protocol.Kind(kind), id)
				}
				rules[kind][id] = verifier
			}
		}
	}
	return rules, nil
}

func newVerifier(l *wire.Lane) (*lane.Verifier, error) {
	auth := lane.Auth{Lane: l.Name, Header: l.Header, Unbound: l.Unbound, Skew: time.Duration(l.Skew) * time.Millisecond}
	if l.Skew == 0 {
		auth.Skew = 1 // practically none: 0 would mean the default
	}
	if l.Secret != "" {
		auth.Key = []byte(l.Secret)
		return lane.NewVerifier(auth)
	}
	var err error
	if auth.Key, err = lane.ParsePublicKey([]byte(l.Key)); err != nil {
		return nil, err
	}
	auth.Keys = make(map[string]any, len(l.Keys))
	for kid, text := range l.Keys {
		if auth.Keys[kid], err = lane.ParsePublicKey([]byte(text)); err != nil {
			return nil, fmt.Errorf("key %q: %w", kid, err)
		}
	}
	return lane.NewVerifier(auth)
}

// accept reports whether a hello is valid. An invalid first hello ends the worker. An invalid later
// hello is logged and changes nothing, so that no lane loses its checks.
func (p *Pool) accept(w *worker, hello *wire.Hello, first bool) bool {
	what, err := p.check(hello)
	switch {
	case err == nil:
		return true
	case first:
		w.fail(err)
	default:
		w.log.Error("ipc: announced "+what+" ignored", "error", errors.Unwrap(err))
	}
	return false
}

func (p *Pool) check(hello *wire.Hello) (what string, err error) {
	if hello == nil { // on the plain wire
		return "", nil
	}
	if _, err := newLaneRules(hello); err != nil {
		return "lanes", fmt.Errorf("its lanes cannot be checked: %w", err)
	}
	if p.opts.OnSchemas == nil {
		return "", nil
	}
	if err := p.opts.OnSchemas(hello.Announced()); err != nil {
		return "schemas", fmt.Errorf("its schemas were refused: %w", err)
	}
	return "", nil
}

// Admit checks the token of a call if the application on the framed wire has announced a lane for it
// that needs one. It makes the pool a tunnel.Gate. The error is 401 UNAUTHORIZED.
func (p *Pool) Admit(call *protocol.Call) error { return p.announced.Load().lanes.of(call).Admit(call) }

// Confirm checks that the token of a call is for its payload, as far as this is possible without the
// application's serializer. The worker does the rest.
func (p *Pool) Confirm(call *protocol.Call) error {
	return p.announced.Load().lanes.of(call).Confirm(call)
}
