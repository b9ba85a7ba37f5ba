package ejson_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/ejson"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// point is the custom type of tests/testdata/runner/dialects.js.
type point struct {
	X any `json:"x"`
	Y any `json:"y"`
}

func newCodec() *ejson.Codec {
	c := new(ejson.Codec)
	ejson.Register[point](c, "Point")
	return c
}

// golden is a document, and what EJSON writes for what it has read from it: nil if it
// refuses.
type golden struct {
	Name, Wire string
	Echo       *string
}

func goldens(t testing.TB) []golden {
	text, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	var list []golden
	require.NoError(t, json.Unmarshal(text, &list))
	return list
}

// refused are the documents that EJSON reads and this package does not, with the reason.
var refused = map[string]string{
	`{"$date":{"$date":5}}`: "a date that is invalid",
}

// What EJSON writes and reads is read, and written, as EJSON does.
func TestGolden(t *testing.T) {
	c := newCodec()
	list := goldens(t)
	values := 0
	for _, g := range list {
		var value any
		err := c.Unmarshal([]byte(g.Wire), &value)
		if g.Echo == nil || refused[g.Wire] != "" {
			var e *protocol.Error
			if assert.ErrorAs(t, err, &e, "%s: %#v", g.Name, value) {
				assert.Equal(t, protocol.CodeInvalidJSON, e.Code, g.Name)
			}
			continue
		}
		if !assert.NoError(t, err, g.Name) {
			continue
		}
		echo, err := c.Marshal(value)
		require.NoError(t, err, g.Name)
		assert.JSONEq(t, *g.Echo, string(echo), g.Name)
		values++
	}
	assert.GreaterOrEqual(t, values, 150)
}
