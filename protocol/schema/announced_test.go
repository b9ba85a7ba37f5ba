package schema

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

func TestAnnounced(t *testing.T) {
	var announced Announced
	call := &protocol.Call{ID: "a", Payload: []byte(`1`)}
	schemas := func(text string) protocol.Schemas {
		return protocol.Schemas{Tasks: map[string]json.RawMessage{"a": json.RawMessage(text)}}
	}
	assert.NoError(t, announced.Check(t.Context(), call))
	assert.Empty(t, announced.Schemas().Tasks)

	require.NoError(t, announced.Update(schemas(`{"type":"string"}`)))
	assert.Error(t, announced.Check(t.Context(), call))
	before := announced.set.Load()
	require.NoError(t, announced.Update(schemas(`{"type":"string"}`)))
	assert.Same(t, before, announced.set.Load(), "what has not changed is not compiled again")

	assert.ErrorContains(t, announced.Update(schemas(`{"type":1}`)), `schema of task "a": /type`)
	assert.Same(t, before, announced.set.Load())

	require.NoError(t, announced.Update(schemas(`{"type":"number"}`)))
	assert.NoError(t, announced.Check(t.Context(), call))
	assert.Equal(t, schemas(`{"type":"number"}`).Tasks, announced.Schemas().Tasks)

	require.NoError(t, announced.Update(protocol.Schemas{}))
	assert.Empty(t, announced.Schemas().Tasks)
}
