package wire

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Both twins know the version of the npm package: the tests of frames.js compare theirs.
func TestPackage(t *testing.T) {
	text, err := os.ReadFile("../../node/package.json")
	require.NoError(t, err)
	var manifest struct{ Version string }
	require.NoError(t, json.Unmarshal(text, &manifest))
	assert.Equal(t, manifest.Version, Package)
}

func TestSchemasOfHello(t *testing.T) {
	hello, err := ParseHello([]byte(`{"type":"hello","wire":1,"tasks":["t","both"],"events":["e","both"],"schemas":{"t":{"const":"t"},"e":true,"both":false,"later":{}}}`))
	require.NoError(t, err)
	assert.Equal(t, protocol.Schemas{
		Tasks:  map[string]json.RawMessage{"t": json.RawMessage(`{"const":"t"}`), "both": json.RawMessage(`false`), "later": json.RawMessage(`{}`)},
		Events: map[string]json.RawMessage{"e": json.RawMessage(`true`), "both": json.RawMessage(`false`)},
	}, hello.Announced())
}
