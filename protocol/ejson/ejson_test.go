package ejson_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	gojson "github.com/goccy/go-json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/ejson"
)

type fields struct {
	At     *time.Time      `json:"at"`
	Float  float64         `json:"float"`
	RegExp *ejson.RegExp   `json:"regexp"`
	ID     ejson.ObjectID  `json:"id"`
	Bytes  []byte          `json:"bytes"`
	Hash   [3]byte         `json:"hash"`
	Big    *big.Int        `json:"big"`
	Point  point           `json:"point"`
	Raw    json.RawMessage `json:"raw"`
	Any    any             `json:"any"`
	Inner  *fields         `json:"inner"`
}

func TestUnmarshalIntoFields(t *testing.T) {
	c := newCodec()
	var f fields
	require.NoError(t, c.Unmarshal([]byte(`{
		"at": {"$date":1704164645678}, "float": {"$InfNaN":-1}, "regexp": {"$regexp":"a+","$flags":"ig"}, "id": {"$objectId":"00112233445566778899AAbb"},
		"bytes": {"$binary":"MSwyLDI1NQ=="}, "hash": {"$binary":"MSwyLDI1NQ=="}, "big": 12345678901234567890, "point": {"$type":"Point","$value":{"x":{"$date":1},"y":2}},
		"raw": [{"$date":5}], "any": {"$escape":{"$date":{"$date":0}}}, "inner": {"float": 1e400}
	}`), &f))
	assert.Equal(t, time.Date(2024, 1, 2, 3, 4, 5, 678_000_000, time.UTC), *f.At)
	assert.Equal(t, math.Inf(-1), f.Float)
	assert.Equal(t, ejson.RegExp{Pattern: "a+", Flags: "gi"}, *f.RegExp)
	assert.Equal(t, "00112233445566778899aabb", f.ID.String())
	assert.Equal(t, []byte{1, 2, 255}, f.Bytes)
	assert.Equal(t, [3]byte{1, 2, 255}, f.Hash)
	assert.Equal(t, "12345678901234567890", f.Big.String())
	assert.Equal(t, point{map[string]any{"$date": 1.0}, 2.0}, f.Point, "EJSON does not look into custom types")
	assert.JSONEq(t, `[{"$date":5}]`, string(f.Raw))
	assert.Equal(t, map[string]any{"$date": time.UnixMilli(0).UTC()}, f.Any)
	assert.Equal(t, math.Inf(1), f.Inner.Float)

	require.NoError(t, c.Unmarshal(nil, &f), "nothing changes nothing")
	assert.NotNil(t, f.At)
}

func TestBinary(t *testing.T) {
	c := newCodec()
	for wire, want := range map[string][]byte{
		`{"$binary":"MSwyLDI1NQ=="}`: {1, 2, 255},
		`{"$binary":"AA=="}`:         {},
		`{"$binary":"MA=="}`:         {0},
		`{"$binary":"/w=="}`:         {255},           // of something else than JavaScript
		`{"$binary":"MSwyNTY="}`:     []byte("1,256"), // no byte
		`{"$binary":"MDEsMg=="}`:     []byte("01,2"),  // not as JavaScript writes it
		`{"$binary":"MSwyLA=="}`:     []byte("1,2,"),  // nor this
	} {
		var v any
		require.NoError(t, c.Unmarshal([]byte(wire), &v), wire)
		assert.Equal(t, want, v, wire)
		text, err := c.Marshal(v)
		require.NoError(t, err)
		var again any
		require.NoError(t, c.Unmarshal(text, &again))
		assert.Equal(t, want, again, "there and back: %s", text)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	c := newCodec()
	for _, wire := range []string{
		`{"$date":"x"}`, `{"$date":8.65e15}`, `{"$date":true}`, `{"$InfNaN":"1"}`, `{"$binary":5}`, `{"$binary":"*"}`, `{"$escape":[1]}`, `{"$objectId":"00112233445566778899aabbc"}`,
		`{"$objectId":"x0112233445566778899aabb"}`, `{"$type":"Point","$value":5}`, `{"$regexp":"a","$flags":"` + strings.Repeat("g", 51) + `"}`, strings.Repeat("[", 2000),
	} {
		var v any
		var e *protocol.Error
		if assert.ErrorAs(t, c.Unmarshal([]byte(wire), &v), &e, "%.100s", wire) {
			assert.Equal(t, protocol.CodeInvalidJSON, e.Code)
		}
	}
}

func TestUnmarshalWhatDoesNotFit(t *testing.T) {
	c := newCodec()
	for wire, message := range map[string]string{
		`{"at":{"$InfNaN":1}}`:                               "InfNaN at at",
		`{"regexp":{"Pattern":"a"}}`:                         "object at regexp",
		`{"id":[1,2]}`:                                       "array at id",
		`{"hash":{"$binary":"MA=="}}`:                        "Binary at hash",
		`{"inner":{"float":{"$date":1}}}`:                    "Date at inner.float",
		`{"inner":{"$type":"Point","$value":{}}}`:            "Point at inner",
		`{"float":{"$objectId":"00112233445566778899aabb"}}`: "ObjectID at float",
		`{"big":` + strings.Repeat("7", 10_001) + `}`:        "number at big",
	} {
		var f fields
		err := c.Unmarshal([]byte(wire), &f)
		var mismatch *gojson.UnmarshalTypeError
		if assert.ErrorAs(t, err, &mismatch, "%.100s", wire) {
			assert.Equal(t, message, mismatch.Value+" at "+mismatch.Field)
		}
		var broken *protocol.Error
		assert.False(t, errors.As(err, &broken))
	}
}

func TestMarshal(t *testing.T) {
	c := newCodec()
	at := time.UnixMilli(5)
	for _, tc := range []struct {
		value any
		want  string
	}{
		{[]any{at, &at, (*time.Time)(nil)}, `[{"$date":5},{"$date":5},null]`},
		{time.Date(300000, 1, 1, 0, 0, 0, 0, time.UTC), `{"$date":null}`},
		{[]float64{math.NaN(), math.Inf(1), math.Inf(-1), 1.5}, `[{"$InfNaN":0},{"$InfNaN":1},{"$InfNaN":-1},1.5]`},
		{ejson.RegExp{Pattern: `a"`, Flags: "g"}, `{"$regexp":"a\"","$flags":"g"}`},
		{ejson.ObjectID{1}, `{"$objectId":"010000000000000000000000"}`},
		{[]byte{1, 2, 255}, `{"$binary":"MSwyLDI1NQ=="}`},
		{[]byte{}, `{"$binary":"AA=="}`},
		{[]byte(nil), `null`},
		{map[string]any{"__proto__": 1, "a": 2}, `{"a":2}`},
		{map[string]any{"$date": at}, `{"$escape":{"$date":{"$date":5}}}`},
		{map[string]any{"$date": 1, "x": 2}, `{"$date":1,"x":2}`},
		{map[string]any{"$type": 1, "$value": 2}, `{"$escape":{"$type":1,"$value":2}}`},
		{map[string]any{"$escape": 1}, `{"$escape":{"$escape":1}}`},
		{struct {
			Date  int `json:"$date"`
			Other int `json:"other,omitempty"`
		}{5, 0}, `{"$escape":{"$date":5}}`},
		{[]point{{at.UTC(), map[string]any{"$date": 1}}}, `[{"$type":"Point","$value":{"x":"1970-01-01T00:00:00.005Z","y":{"$date":1}}}]`},
		{big.NewInt(7), `7`},
	} {
		text, err := c.Marshal(tc.value)
		if assert.NoError(t, err, tc.want) {
			assert.Equal(t, tc.want, string(text))
		}
	}
	_, err := c.Marshal(func() {})
	assert.Error(t, err)
	_, err = c.Marshal(point{X: func() {}})
	assert.Error(t, err)
}

func TestRegister(t *testing.T) {
	c := newCodec()
	assert.Panics(t, func() { ejson.Register[point](c, "Other") }, "type taken")
	assert.Panics(t, func() { ejson.Register[fields](c, "Point") }, "name taken")
	assert.Panics(t, func() { ejson.Register[fields](c, "") }, "no name")
	assert.Panics(t, func() { ejson.Register[ejson.RegExp](c, "R") }, "type of the dialect")
	assert.Panics(t, func() { ejson.Register[*fields](c, "F") }, "pointer")
	assert.Panics(t, func() { ejson.Register[error](c, "E") }, "interface")
}
