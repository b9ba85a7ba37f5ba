package serializer_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/serializer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// point is the custom type of tests/testdata/runner/values.js.
type point struct {
	X any `json:"x"`
	Y any `json:"y"`
}

func newCodec() *serializer.Codec {
	c := new(serializer.Codec)
	serializer.Register[point](c, "Point")
	return c
}

// golden is a document, and what Runner's serializer writes for what it has read from
// it: nil if it refuses.
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

// differences are the documents that are read otherwise than by Runner, with the reason.
var differences = map[string]string{
	`{"__type":"RegExp","value":{"pattern":"/\n","flags":""}}`: "the pattern is not rewritten",
	`{"__type":"URL","value":"HTTP://EXAMPLE.com"}`:            "the URL is not rewritten",
	`{"__type":"URL","value":"http://h"}`:                      "the URL is not rewritten",
	`{"__type":"URL","value":"https://h:443/"}`:                "the URL is not rewritten",
	`{"__type":"URL","value":"http://1.2.3.4"}`:                "the URL is not rewritten",
	`{"__type":"URLSearchParams","value":"?a=1&&b"}`:           "the parameters are not rewritten",
}

// What Runner writes and reads is read, and written, as Runner does.
func TestGolden(t *testing.T) {
	c := newCodec()
	list := goldens(t)
	values := 0
	for _, g := range list {
		var value any
		err := c.Unmarshal([]byte(g.Wire), &value)
		if g.Echo == nil {
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
		if differences[g.Wire] == "" {
			assert.JSONEq(t, *g.Echo, string(echo), g.Name)
		}
		values++
	}
	assert.GreaterOrEqual(t, values, 150)
}

// Bodies are hashed as they are written, so that the order of members counts.
func TestGoldenOrder(t *testing.T) {
	c := newCodec()
	compared := map[string]int{}
	for _, g := range goldens(t) {
		for _, name := range []string{"RegExp", "Symbol", "Error"} {
			if !strings.HasPrefix(g.Wire, `{"__type":"`+name+`"`) || g.Echo == nil || differences[g.Wire] != "" || g.Name == "error with fields" { // a map of them has no order
				continue
			}
			var value any
			require.NoError(t, c.Unmarshal([]byte(g.Wire), &value), g.Name)
			echo, err := c.Marshal(value)
			require.NoError(t, err, g.Name)
			assert.Equal(t, *g.Echo, string(echo), g.Name)
			compared[name]++
		}
	}
	assert.Len(t, compared, 3)
}
