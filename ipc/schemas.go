package ipc

import (
	"fmt"
	"slices"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol"
)

// schemas returns those of a hello. A worker names them by id alone; an id that it does
// not serve yet is taken for that of a task.
func (c *control) schemas() protocol.Schemas {
	s := protocol.Schemas{Tasks: map[string]json.RawMessage{}, Events: map[string]json.RawMessage{}}
	for id, schema := range c.Schemas {
		event := slices.Contains(c.Events, id)
		if event {
			s.Events[id] = schema
		}
		if !event || slices.Contains(c.Tasks, id) {
			s.Tasks[id] = schema
		}
	}
	return s
}

// acceptSchemas reports whether what a worker announces may be followed.
func (p *Pool) acceptSchemas(w *worker, hello *control, first bool) bool {
	if p.opts.Schemas == nil || hello == nil {
		return true
	}
	err := p.opts.Schemas(hello.schemas())
	switch {
	case err == nil:
		return true
	case first:
		w.violate(fmt.Errorf("its schemas were refused: %w", err))
	default:
		w.log.Error("ipc: announced schemas not taken", "error", err)
	}
	return false
}
