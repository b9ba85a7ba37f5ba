package schema

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/bluelibs/go-tunnel/protocol"
)

func TestJoin(t *testing.T) {
	of := func(tasks, events map[string]json.RawMessage) func() protocol.Schemas {
		return func() protocol.Schemas { return protocol.Schemas{Tasks: tasks, Events: events} }
	}
	one, two := json.RawMessage(`1`), json.RawMessage(`2`)
	joined := Join(
		of(map[string]json.RawMessage{"a": one, "b": one}, nil),
		of(map[string]json.RawMessage{"b": two, "c": two}, map[string]json.RawMessage{"e": two}),
	)
	assert.Equal(t, protocol.Schemas{
		Tasks:  map[string]json.RawMessage{"a": one, "b": one, "c": two},
		Events: map[string]json.RawMessage{"e": two},
	}, joined())
	assert.Equal(t, protocol.Schemas{Tasks: map[string]json.RawMessage{}, Events: map[string]json.RawMessage{}}, Join()())
}
