package protocol

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDescribe(t *testing.T) {
	schemas := Schemas{
		Tasks:  map[string]json.RawMessage{"a": json.RawMessage(`{"const":"<&>"}`), "e": json.RawMessage(`true`), "hidden": json.RawMessage(`false`)},
		Events: map[string]json.RawMessage{"a": json.RawMessage(`true`), "e": json.RawMessage(" {} ")},
	}
	for want, list := range map[string]*AllowList{
		`{"allowList":{"enabled":true,"tasks":["a","b"],"events":["e"]},"schemas":{"tasks":{"a":{"const":"<&>"}},"events":{"e":{}}}}`: NewAllowList([]string{"a", "b"}, []string{"e"}),
		`{"allowList":{"enabled":false,"tasks":[],"events":[]},"schemas":{"tasks":{},"events":{}}}`:                                   nil,
	} {
		got, err := list.Describe(schemas)
		require.NoError(t, err)
		assert.Equal(t, want, string(got))
	}
	_, err := NewAllowList([]string{"a"}, nil).Describe(Schemas{Tasks: map[string]json.RawMessage{"a": json.RawMessage(`{`)}})
	assert.Error(t, err)
	got, err := NewAllowList(nil, nil).Describe(Schemas{})
	require.NoError(t, err)
	assert.True(t, json.Valid(got))
}
