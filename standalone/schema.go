package standalone

import (
	"maps"
	"reflect"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Inputs returns the Go types of the inputs of a registry's typed tasks or events, by id. Package
// protocol/schema derives JSON Schemas from them.
func (r *Registry) Inputs(kind protocol.Kind) map[string]reflect.Type {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return maps.Clone(r.inputs[kind])
}

func (r *Registry) setInput(kind protocol.Kind, id string, input reflect.Type) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inputs[kind] == nil {
		r.inputs[kind] = make(map[string]reflect.Type)
	}
	r.inputs[kind][id] = input
}
