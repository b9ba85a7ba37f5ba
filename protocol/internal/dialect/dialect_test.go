package dialect

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	gojson "github.com/goccy/go-json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// none are the rules of a dialect that has none: encoding/json must not differ.
type none struct{}

func (none) Name(any) string                                        { return "nothing" }
func (none) Native(_ *Decoder, v any) any                           { return v }
func (none) Decode(*Decoder, any, reflect.Value) (bool, error)      { return false, nil }
func (none) Encode(*Encoder, reflect.Value) (bool, error)           { return false, nil }
func (none) Object(fields []Field) (kept []Field, open, end string) { return fields, "{", "}" }

func decode(data string, v any) error {
	d := Decoder{Rules: none{}, Types: new(Types)}
	return d.Into(Parse([]byte(data)), v)
}

type Base struct {
	ID     int `json:"id"`
	Shared string
	Twice  int
	Tagged int `json:"tagged"`
}

type Other struct {
	Twice  int
	Tagged int
	Deep   *Base `json:"deep,omitempty"`
}

type hidden struct{ Visible int }

type layout struct {
	Base
	*Other
	hidden
	Named   Base   `json:"named"`
	Shared  string `json:"Shared"`
	Skipped int    `json:"-"`
	private int
	Omit    []int           `json:"omit,omitempty"`
	OmitT   time.Time       `json:"omitT,omitzero"`
	OmitP   *int            `json:"omitP,omitempty"`
	Quoted  int             `json:"quoted,string"`
	QuotedP *bool           `json:"quotedP,string"`
	QuotedS string          `json:"quotedS,string"`
	Map     map[string]int  `json:"map"`
	Ints    map[int8]string `json:"ints"`
	Times   map[time.Time]int
	Array   [2]any
	Bytes   [2]byte
	Raw     json.RawMessage
	Number  json.Number
	Time    *time.Time
	Float   float32
	Uint    uint8
	Any     any
	Func    func() `json:"-"`
}

func TestEncodingJSONDoesNotDiffer(t *testing.T) {
	yes, n := true, 3
	at := time.Date(2024, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, value := range []layout{
		{},
		{Base: Base{1, "hidden", 2, 3}, Other: &Other{4, 5, &Base{}}, hidden: hidden{6}, Named: Base{Shared: "x"}, Shared: "y", Skipped: 7, private: 9},
		{Omit: []int{1}, OmitT: at, OmitP: &n, Quoted: -5, QuotedP: &yes, QuotedS: `a"b`, Map: map[string]int{"b": 1, "a": 2}, Ints: map[int8]string{-1: "x", 10: "y"}, Times: map[time.Time]int{at: 1}},
		{Array: [2]any{1.5, []any{nil, true}}, Bytes: [2]byte{1, 2}, Raw: json.RawMessage(`{"a":[1]}`), Number: "1e5", Time: &at, Float: 0.1, Uint: 255, Any: map[string]any{"é": "\u00ff\t"}},
	} {
		want, err := json.Marshal(value)
		require.NoError(t, err)
		got, err := Marshal(none{}, new(Types), value)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got))

		var ours, theirs layout
		require.NoError(t, json.Unmarshal(want, &theirs))
		require.NoError(t, decode(string(want), &ours))
		assert.Equal(t, theirs, ours)
	}
}

func TestDecodeWhatDoesNotFit(t *testing.T) {
	for _, doc := range []string{
		`{"id":"x"}`, `{"id":1.5}`, `{"id":null,"named":[]}`, `{"map":{"a":null,"b":""}}`, `{"ints":{"200":""}}`, `{"ints":{"x":""}}`, `{"Uint":256}`, `{"Uint":-1}`, `{"Float":1e39}`,
		`{"Array":{}}`, `{"Bytes":[256]}`, `{"Bytes":""}`, `{"quoted":"x"}`, `{"Number":"x"}`, `{"omit":"AQ=="}`, `{"Time":5}`, `{"omitP":true}`, `{"Times":{"x":1}}`, `[]`, `"x"`, `true`,
	} {
		var ours, theirs layout
		require.Error(t, json.Unmarshal([]byte(doc), &theirs), doc)
		assert.Error(t, decode(doc, &ours), doc)
	}
}

func TestMismatchPath(t *testing.T) {
	var v layout
	var mismatch *gojson.UnmarshalTypeError
	require.ErrorAs(t, decode(`{"Array":[0,{"a":1}],"deep":{"id":[]}}`, &v), &mismatch)
	assert.Equal(t, "deep.id", mismatch.Field)
	assert.Equal(t, "array", mismatch.Value)
	require.ErrorAs(t, decode(`{"map":{"`+strings.Repeat("x", 65)+`":{}}}`, &v), &mismatch)
	assert.Equal(t, "map.…", mismatch.Field)
}

func TestParseKeepsTheLastOfOneName(t *testing.T) {
	var names strings.Builder
	for range 3 {
		for _, name := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
			names.WriteString(`"` + name + `":1,`)
		}
	}
	o := Parse([]byte(`{` + names.String() + `"a":2,"z":3}`)).(*Object)
	assert.Len(t, o.Members, 26)
	first, _ := o.Get("a")
	last, _ := o.Get("z")
	assert.Equal(t, []any{json.Number("2"), json.Number("3")}, []any{first, last})
	_, ok := o.Get("A")
	assert.False(t, ok)
}

func TestHold(t *testing.T) {
	type loop struct {
		Next *loop
		List []map[string][2]*Base
	}
	base := func(typ reflect.Type) bool { return typ == reflect.TypeFor[Base]() }
	types := new(Types)
	assert.True(t, types.Hold(new(loop), base))
	assert.True(t, types.Hold(new(loop), base), "remembered")
	assert.True(t, types.Hold(new(map[Base]int), base))
	assert.False(t, types.Hold(new(struct{ A any }), base))
	assert.False(t, types.Hold(nil, base))
}

func TestCheck(t *testing.T) {
	special := func(quoted []byte) bool { return string(quoted) == `"$x"` }
	for doc, want := range map[string]bool{`{"$x":1}`: true, `[{"a":{"$x":1}}]`: true, `{"a":"$x"}`: false, `{"\u0024x":1}`: true, `{"a\n":1}`: true, `["\u0024"]`: false} {
		found, err := Check([]byte(doc), special)
		require.NoError(t, err)
		assert.Equal(t, want, found, doc)
	}
	_, err := Check([]byte(`{"$x":}`), special)
	assert.Error(t, err)
}

// FuzzParse compares with encoding/json what valid documents hold, and how it is written.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-0.5e3,"\u00e9\ud83d\ude00\ud800\n",true,false,null,{"b":{}}],"a":[]}`, ` [ ] `, "\"\xff\"", `{"":1,"\"":2,"é":1e400}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := Check(data, func([]byte) bool { return false }); err != nil {
			return
		}
		d := Decoder{Rules: none{}, Types: new(Types)}
		ours := d.Native(Parse(data))
		var theirs any
		err := json.Unmarshal(data, &theirs)
		var mismatch *json.UnmarshalTypeError
		if errors.As(err, &mismatch) { // a number that is infinite here
			return
		}
		require.NoError(t, err)
		require.Equal(t, theirs, ours)
		text, err := Marshal(none{}, new(Types), ours)
		require.NoError(t, err)
		var again any
		require.NoError(t, json.Unmarshal(text, &again))
		require.Equal(t, theirs, again)
	})
}

func TestFloatIsWrittenAsInJavaScript(t *testing.T) {
	for f, want := range map[float64]string{0: "0", math.Copysign(0, -1): "0", 1e21: "1e+21", 1e20: "100000000000000000000", 1e-6: "0.000001", 1e-7: "1e-7", 1.5e-10: "1.5e-10", -2.5: "-2.5", math.MaxFloat64: "1.7976931348623157e+308", 5e-324: "5e-324"} {
		text, err := Marshal(none{}, new(Types), f)
		require.NoError(t, err)
		assert.Equal(t, want, string(text))
	}
	_, err := Marshal(none{}, new(Types), math.NaN())
	assert.Error(t, err)
}
