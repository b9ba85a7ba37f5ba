package schema

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

// checkWith returns what is wrong with a document.
func checkWith(t *testing.T, schema any, options Options, document string) string {
	t.Helper()
	set, err := Compile(Sources{Tasks: map[string]any{"a": schema}, Options: options})
	require.NoError(t, err)
	return issuesOfError(t, set.Check(t.Context(), &protocol.Call{ID: "a", Payload: []byte(document)}))
}

func TestExactNumbers(t *testing.T) {
	for _, c := range []struct{ schema, document, want string }{
		{`{"maximum":9007199254740992}`, `9007199254740993`, ": must be at most 9007199254740992"},
		{`{"minimum":9007199254740993}`, `9007199254740993`, ""}, // which rounds both
		{`{"exclusiveMaximum":100}`, `99.99999999999999999999999`, ": must be less than 100"},
		{`{"exclusiveMinimum":0}`, `1e-350`, ": must be more than 0"},
		{`{"type":"integer"}`, `1.00000000000000000001`, ": must be integer, is number"},
		{`{"type":"integer"}`, `1e309`, ""}, // no float64 can have it, so that nothing reads it as one
		{`{"type":"integer"}`, strings.Repeat("9", 400), ""},
		{`{"type":"integer"}`, strings.Repeat("9", 401), ": is a number of too many digits"},
		{`{"type":"integer"}`, `1e401`, ": is a number out of range"},
		{`{"type":"integer"}`, `1e99999999999999999999`, ": is a number out of range"},
		{`{"multipleOf":0.1}`, `0.3`, ""},
	} {
		want := c.want
		if c.schema == `{"minimum":9007199254740993}` {
			want = ": must be at least 9007199254740993" // a float64 is less
		}
		assert.Equal(t, want, checkWith(t, []byte(c.schema), Options{ExactNumbers: true}, c.document), c.document)
	}
	integers := reflect.TypeFor[struct {
		A int64 `json:"a"`
	}]()
	assert.Empty(t, checkWith(t, integers, Options{}, `{"a":9007199254740993}`))
	assert.Equal(t, "/a: must be at most 9223372036854775807", checkWith(t, integers, Options{}, `{"a":9223372036854775808}`))
	assert.Empty(t, checkWith(t, integers, Options{}, `{"a":9223372036854775807}`), "the largest")
}

func TestFormatOptions(t *testing.T) {
	schema := []byte(`{"properties":{"t":{"format":"date-time"},"r":{"format":"regex"},"e":{"format":"email","pattern":"^[a-z]$"},"x":{"format":"cuid"},"v":{"format":"semver"}}}`)
	const valibot, flagless, letter = `{"t":"2024-01-02T03:04"}`, `{"r":"\\-"}`, `{"e":"a"}`
	for _, c := range []struct {
		options  Options
		document string
		want     string
	}{
		{Options{}, valibot, ""},
		{Options{}, flagless, ""},
		{Options{}, letter, ""},
		{Options{}, `{"t":"now"}`, "/t: must be in the format date-time"},
		{Options{}, `{"r":"("}`, "/r: must be in the format regex"},
		{Options{}, `{"x":""}`, ""},
		{Options{Format: FormatAssert}, `{"v":"","x":""}`, ""},
		{Options{Format: FormatAssert}, valibot, "/t: must be in the format date-time"},
		{Options{Format: FormatAssert}, flagless, "/r: must be in the format regex"},
		{Options{Format: FormatAssert}, letter, "/e: must be in the format email"},
		{Options{Format: FormatAnnotate}, `{"t":"","r":"(","e":"a"}`, ""},
		{Options{Format: FormatAnnotate, Formats: map[string]Format{"date-time": FormatUsual}}, `{"t":"","r":"("}`, "/t: must be in the format date-time"},
		{Options{Formats: map[string]Format{"email": FormatAssert}}, `{"e":"a","t":"2024-01-02T03:04"}`, "/e: must be in the format email"},
	} {
		assert.Equal(t, c.want, checkWith(t, schema, c.options, c.document), "%v %s", c.options, c.document)
	}
	const february = `"2024-02-30T00:00:00Z"`
	assert.Equal(t, ": must be in the format date-time", checkWith(t, []byte(`{"format":"date-time"}`), Options{}, february))
	assert.Empty(t, checkWith(t, []byte(`{"$schema":"http://json-schema.org/draft-07/schema#","format":"date-time"}`), Options{}, february), "valibot")
	assert.Equal(t, ": must be in the format date", checkWith(t, []byte(`{"$schema":"http://json-schema.org/draft-07/schema#","format":"date"}`), Options{}, `"2024-02-32"`))
	moment := reflect.TypeFor[struct {
		T time.Time `json:"t"`
	}]()
	assert.Equal(t, "/t: must be in the format date-time", checkWith(t, moment, Options{}, valibot), "encoding/json does not take it")
}

func TestServeOthers(t *testing.T) {
	var log bytes.Buffer
	sources := Sources{
		Tasks: map[string]any{
			"pattern": []byte(`{"properties":{"x":{"pattern":"("}}}`), "text": []byte(`{`), "far": []byte(`{"$ref":"https://example.com/broken"}`),
			"none": File("does-not-exist.json"), "good": []byte(`{"type":"number"}`),
		},
		Shared:  map[string]any{"https://example.com/broken": []byte(`[`)},
		Events:  map[string]any{"circle": []byte(`{"$ref":"#"}`)},
		Results: map[string]any{"good": []byte(`{"type":"objct"}`)},
	}
	_, err := Compile(sources)
	require.Error(t, err)

	sources.Options = Options{ServeOthers: true, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	set, err := Compile(sources)
	require.NoError(t, err)
	check := func(kind protocol.Kind, id string) error {
		return set.Check(t.Context(), &protocol.Call{Kind: kind, ID: id, Payload: []byte(`1`)})
	}
	require.NoError(t, check(protocol.KindTask, "good"))
	for _, id := range []string{"pattern", "text", "far", "none"} {
		err := check(protocol.KindTask, id)
		require.ErrorContains(t, err, `schema of task "`+id+`"`)
		assert.NotErrorAs(t, err, new(*protocol.Error), "it is private")
		assert.Contains(t, log.String(), `schema of task \"`+id+`\"`)
	}
	assert.ErrorContains(t, check(protocol.KindTask, "pattern"), "/properties/x/pattern")
	assert.ErrorContains(t, check(protocol.KindEvent, "circle"), "refers to itself")
	assert.Error(t, set.CheckReply(t.Context(), &protocol.Call{ID: "good"}, &protocol.Reply{Value: []byte(`1`)}))
	assert.Equal(t, map[string]json.RawMessage{"good": json.RawMessage(`{"type":"number"}`)}, set.Schemas().Tasks)
	assert.Empty(t, set.Schemas().Events)

	announced := Announced{Options: sources.Options}
	require.NoError(t, announced.Update(protocol.Schemas{Tasks: map[string]json.RawMessage{"a": json.RawMessage(`{"type":"x"}`), "b": json.RawMessage(`{}`)}}))
	assert.NoError(t, announced.Check(t.Context(), &protocol.Call{ID: "b", Payload: []byte(`1`)}))
	assert.Error(t, announced.Check(t.Context(), &protocol.Call{ID: "a", Payload: []byte(`1`)}))
}
