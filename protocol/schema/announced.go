package schema

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Announced checks calls against the schemas that workers announce, and follows their changes. The
// zero value has no schemas. It is safe for concurrent use.
//
//	var announced schema.Announced
//	opts.OnSchemas = announced.Update // a pool of package ipc
//	config.Middleware = []tunnel.Middleware{tunnel.Check(announced.Check)}
type Announced struct {
	// Options say how the schemas are read. Do not change them after the first use.
	Options Options

	updating sync.Mutex
	set      atomic.Pointer[Set]
}

// Update replaces the schemas. If one of them does not compile, it keeps the old schemas and
// returns the error of Compile.
func (a *Announced) Update(schemas protocol.Schemas) error {
	a.updating.Lock()
	defer a.updating.Unlock()
	had := a.Schemas()
	if same(had.Tasks, schemas.Tasks) && same(had.Events, schemas.Events) {
		return nil
	}
	set, err := Compile(Sources{Tasks: sources(schemas.Tasks), Events: sources(schemas.Events), Options: a.Options})
	if err == nil {
		a.set.Store(set)
	}
	return err
}

func same(a, b map[string]json.RawMessage) bool {
	return maps.EqualFunc(a, b, func(x, y json.RawMessage) bool { return bytes.Equal(x, y) })
}

func sources(schemas map[string]json.RawMessage) map[string]any {
	all := make(map[string]any, len(schemas))
	for id, text := range schemas {
		all[id] = text
	}
	return all
}

// Check is Set.Check with the schemas of the last Update.
func (a *Announced) Check(ctx context.Context, call *protocol.Call) error {
	if set := a.set.Load(); set != nil {
		return set.Check(ctx, call)
	}
	return nil
}

// Schemas returns the schemas of the last Update, for tunnel.Config.Schemas.
func (a *Announced) Schemas() protocol.Schemas {
	if set := a.set.Load(); set != nil {
		return set.Schemas()
	}
	return protocol.Schemas{}
}
