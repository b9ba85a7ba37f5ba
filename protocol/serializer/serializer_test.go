package serializer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	gojson "github.com/goccy/go-json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/serializer"
)

// everything has a field of each type that values of the dialect are decoded into.
type everything struct {
	Time     time.Time                  `json:"time"`
	TimeP    *time.Time                 `json:"timeP"`
	Big      big.Int                    `json:"big"`
	BigP     *big.Int                   `json:"bigP"`
	Int      int64                      `json:"int"`
	Small    int8                       `json:"small"`
	Uint     uint64                     `json:"uint"`
	Float    float64                    `json:"float"`
	Float32  float32                    `json:"float32"`
	Map      serializer.Map             `json:"map"`
	GoMap    map[string]int             `json:"goMap"`
	IntMap   map[int]string             `json:"intMap"`
	AnyMap   map[any]any                `json:"anyMap"`
	Set      serializer.Set             `json:"set"`
	Slice    []string                   `json:"slice"`
	Array    [2]int                     `json:"array"`
	Bytes    []byte                     `json:"bytes"`
	Hash     [2]byte                    `json:"hash"`
	Binary   serializer.Binary          `json:"binary"`
	RegExp   *serializer.RegExp         `json:"regexp"`
	Symbol   serializer.Symbol          `json:"symbol"`
	Error    *serializer.Error          `json:"error"`
	ErrorV   serializer.Error           `json:"errorV"`
	Failure  error                      `json:"failure"`
	URL      *url.URL                   `json:"url"`
	Href     serializer.URL             `json:"href"`
	Values   url.Values                 `json:"values"`
	Params   serializer.URLSearchParams `json:"params"`
	String   *string                    `json:"string"`
	Bool     bool                       `json:"bool"`
	Any      any                        `json:"any"`
	Raw      json.RawMessage            `json:"raw"`
	Number   json.Number                `json:"number"`
	Quoted   int                        `json:"quoted,string"`
	Point    point                      `json:"point"`
	Children []everything               `json:"children"`
	embedded
}

type embedded struct {
	Inner time.Time `json:"inner"`
}

func record(name, payload string) string {
	return fmt.Sprintf(`{"__type":%q,"value":%s}`, name, payload)
}

var (
	day      = time.Date(2024, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	dayText  = record("Date", `"2024-01-02T03:04:05.678Z"`)
	infinity = record("NonFiniteNumber", `"Infinity"`)
)

func TestUnmarshalIntoFields(t *testing.T) {
	c := newCodec()
	for _, tc := range []struct {
		field, wire string
		got         func(everything) any
		want        any
	}{
		{"time", dayText, func(e everything) any { return e.Time }, day},
		{"time", `"2024-01-02T03:04:05.678Z"`, func(e everything) any { return e.Time.Equal(day) }, true},
		{"timeP", dayText, func(e everything) any { return *e.TimeP }, day},
		{"timeP", record("Undefined", "0"), func(e everything) any { return e.TimeP }, (*time.Time)(nil)},
		{"inner", dayText, func(e everything) any { return e.Inner }, day},
		{"big", record("BigInt", `"-18446744073709551616"`), func(e everything) any { return e.Big.String() }, "-18446744073709551616"},
		{"bigP", record("BigInt", `"5"`), func(e everything) any { return e.BigP.String() }, "5"},
		{"bigP", `12345678901234567890`, func(e everything) any { return e.BigP.String() }, "12345678901234567890"},
		{"int", record("BigInt", `"-9223372036854775808"`), func(e everything) any { return e.Int }, int64(math.MinInt64)},
		{"int", `9007199254740993`, func(e everything) any { return e.Int }, int64(9007199254740993)},
		{"uint", record("BigInt", `"18446744073709551615"`), func(e everything) any { return e.Uint }, uint64(math.MaxUint64)},
		{"float", infinity, func(e everything) any { return e.Float }, math.Inf(1)},
		{"float", `1e400`, func(e everything) any { return e.Float }, math.Inf(1)},
		{"float32", infinity, func(e everything) any { return e.Float32 }, float32(math.Inf(1))},
		{"map", record("Map", `[["b",[1]],["a",`+dayText+`]]`), func(e everything) any { return e.Map }, serializer.Map{{"b", []any{1.0}}, {"a", day}}},
		{"goMap", record("Map", `[["a",1],["b",2]]`), func(e everything) any { return e.GoMap }, map[string]int{"a": 1, "b": 2}},
		{"goMap", `{"a":1}`, func(e everything) any { return e.GoMap }, map[string]int{"a": 1}},
		{"intMap", record("Map", `[[1,"a"],[-2,"b"]]`), func(e everything) any { return e.IntMap }, map[int]string{1: "a", -2: "b"}},
		{"intMap", `{"1":"a"}`, func(e everything) any { return e.IntMap }, map[int]string{1: "a"}},
		{"anyMap", record("Map", `[[true,1],["x",`+infinity+`]]`), func(e everything) any { return e.AnyMap }, map[any]any{true: 1.0, "x": math.Inf(1)}},
		{"set", record("Set", `["a",1]`), func(e everything) any { return e.Set }, serializer.Set{"a", 1.0}},
		{"slice", record("Set", `["a","b","a"]`), func(e everything) any { return e.Slice }, []string{"a", "b"}},
		{"array", record("Set", `[7,8,9]`), func(e everything) any { return e.Array }, [2]int{7, 8}},
		{"bytes", record("Buffer", `[1,255]`), func(e everything) any { return e.Bytes }, []byte{1, 255}},
		{"bytes", record("Int16Array", `[1,0]`), func(e everything) any { return e.Bytes }, []byte{1, 0}},
		{"bytes", `"AQI="`, func(e everything) any { return e.Bytes }, []byte{1, 2}},
		{"hash", record("Uint8Array", `[1,2]`), func(e everything) any { return e.Hash }, [2]byte{1, 2}},
		{"binary", record("Float32Array", `[0,0,0,0]`), func(e everything) any { return e.Binary }, serializer.Binary{Kind: "Float32Array", Bytes: make([]byte, 4)}},
		{"regexp", record("RegExp", `{"pattern":"a+","flags":"ig"}`), func(e everything) any { return *e.RegExp }, serializer.RegExp{Pattern: "a+", Flags: "gi"}},
		{"symbol", record("Symbol", `{"kind":"WellKnown","key":"iterator"}`), func(e everything) any { return e.Symbol }, serializer.Symbol{Key: "iterator", WellKnown: true}},
		{"error", record("Error", `{"name":"E","message":"m"}`), func(e everything) any { return e.Error.Error() }, "E: m"},
		{"errorV", record("Error", `{"name":"E","message":"m","customFields":{"code":1}}`), func(e everything) any { return e.ErrorV.Fields }, map[string]any{"code": 1.0}},
		{"failure", record("Error", `{"name":"E","message":"m"}`), func(e everything) any { return e.Failure.Error() }, "E: m"},
		{"url", record("URL", `"http://h/p?q"`), func(e everything) any { return e.URL.Path }, "/p"},
		{"href", record("URL", `"http://h/p?q"`), func(e everything) any { return e.Href }, serializer.URL("http://h/p?q")},
		{"values", record("URLSearchParams", `"a=1&a=2"`), func(e everything) any { return e.Values }, url.Values{"a": {"1", "2"}}},
		{"params", record("URLSearchParams", `"a=1"`), func(e everything) any { return e.Params }, serializer.URLSearchParams("a=1")},
		{"string", record("Undefined", "null"), func(e everything) any { return e.String }, (*string)(nil)},
		{"any", record("BigInt", `"7"`), func(e everything) any { return e.Any }, big.NewInt(7)},
		{"any", record("Point", `{"x":1,"y":2}`), func(e everything) any { return e.Any }, point{1.0, 2.0}},
		{"any", record("Undefined", "0"), func(e everything) any { return e.Any }, serializer.Undefined{}},
		{"point", record("Point", `{"x":`+dayText+`,"y":2}`), func(e everything) any { return e.Point }, point{day, 2.0}},
		{"point", `{"x":1,"$runner.escape::__type":2}`, func(e everything) any { return e.Point.X }, 1.0},
		{"raw", `[1,` + dayText + `]`, func(e everything) any { return string(e.Raw) }, `[1,` + dayText + `]`},
		{"number", `1e999`, func(e everything) any { return e.Number }, json.Number("1e999")},
		{"quoted", `"12"`, func(e everything) any { return e.Quoted }, 12},
		{"BOOL", `true`, func(e everything) any { return e.Bool }, true},
		{"children", `[{"time":` + dayText + `}]`, func(e everything) any { return e.Children[0].Time }, day},
	} {
		// With a marker elsewhere nothing may be decoded otherwise.
		for _, doc := range []string{`{"%s":%s}`, `{"other":{"__type":"Date","value":0},"%s":%s}`} {
			doc = fmt.Sprintf(doc, tc.field, tc.wire)
			var e everything
			if assert.NoError(t, c.Unmarshal([]byte(doc), &e), doc) {
				assert.Equal(t, tc.want, tc.got(e), doc)
			}
		}
	}
}

func TestUnmarshalWhatDoesNotFit(t *testing.T) {
	c := newCodec()
	for wire, message := range map[string]string{
		`{"time":` + record("BigInt", `"1"`) + `}`:          "BigInt at time",
		`{"small":` + record("BigInt", `"128"`) + `}`:       "BigInt at small",
		`{"uint":` + record("BigInt", `"-1"`) + `}`:         "BigInt at uint",
		`{"float":` + record("BigInt", `"1"`) + `}`:         "BigInt at float",
		`{"int":` + infinity + `}`:                          "NonFiniteNumber at int",
		`{"string":` + dayText + `}`:                        "Date at string",
		`{"slice":` + record("Map", `[]`) + `}`:             "Map at slice",
		`{"goMap":` + record("Set", `[]`) + `}`:             "Set at goMap",
		`{"goMap":` + record("Map", `[[1,1]]`) + `}`:        "number 1 at goMap",
		`{"goMap":` + record("Map", `[["a","b"]]`) + `}`:    "string at goMap",
		`{"anyMap":` + record("Map", `[[{},1]]`) + `}`:      "number 1 at anyMap",
		`{"bytes":` + record("Set", `[1,256]`) + `}`:        "number 256 at bytes.1",
		`{"hash":` + record("Buffer", `[1]`) + `}`:          "Buffer at hash",
		`{"regexp":{"pattern":"(a+)+","flags":""}}`:         "object at regexp",
		`{"map":[["a",1]]}`:                                 "array at map",
		`{"set":[1]}`:                                       "array at set",
		`{"href":"http://h/"}`:                              "string at href",
		`{"binary":{"Kind":"Uint8Array","Bytes":""}}`:       "object at binary",
		`{"error":{"Name":"x"}}`:                            "object at error",
		`{"symbol":{"Key":"x"}}`:                            "object at symbol",
		`{"bigP":` + strings.Repeat("7", 10_001) + `}`:      "number at bigP",
		`{"children":[{},{"int":"x"}]}`:                     "string at children.1.int",
		`{"goMap":{"` + strings.Repeat("x", 100) + `":""}}`: "string at goMap.…",
		`{"failure":{}}`:                                    "object at failure",
		`{"quoted":"x"}`:                                    "string at quoted",
		`{"number":"x"}`:                                    "string at number",
		`{"point":` + record("Undefined", "0") + `,"int":` + record("Point", "{}") + `}`: "Point at int",
	} {
		var e everything
		err := c.Unmarshal([]byte(wire), &e)
		var mismatch *gojson.UnmarshalTypeError
		if assert.ErrorAs(t, err, &mismatch, "%.100s", wire) {
			assert.Equal(t, message, mismatch.Value+" at "+mismatch.Field)
		}
		var broken *protocol.Error
		assert.False(t, errors.As(err, &broken))
	}
	assert.Error(t, c.Unmarshal([]byte(`1`), nil))
	assert.Error(t, c.Unmarshal([]byte(`1`), everything{}))
	assert.Error(t, c.Unmarshal([]byte(dayText), (*time.Time)(nil)))
}

func TestUnmarshalRefuses(t *testing.T) {
	c := newCodec()
	for _, wire := range []string{
		record("Date", `"31 Jan 2024"`), record("Date", `"x"`), record("Date", `8.65e15`), record("Date", `true`),
		record("BigInt", `"`+strings.Repeat("7", 10_001)+`"`), record("Point", `5`), record("Error", `{"name":"","message":"m"}`), `{"$runner.escape::a":1,"a":2}`,
		`{"__graph":true,"root":{"__ref":"a"},"nodes":{"a":{"kind":"array","value":[{"__ref":"a"}]}}}`,
		`{"__graph":true,"root":{"__ref":"a"},"nodes":{"a":{"kind":"type","type":"Buffer","value":[]}}}`,
		bomb(40), strings.Repeat("[", 1_000_000), strings.Repeat(`{"__type":"Set","value":[`, 600) + strings.Repeat("]}", 600),
	} {
		var v any
		var e *protocol.Error
		if assert.ErrorAs(t, c.Unmarshal([]byte(wire), &v), &e, "%.100s", wire) {
			assert.Equal(t, protocol.CodeInvalidJSON, e.Code)
		}
	}
}

// bomb is a graph of a few nodes that unfolds to 2^levels values.
func bomb(levels int) string {
	nodes := []string{`"0":{"kind":"array","value":[]}`}
	for n := 1; n <= levels; n++ {
		nodes = append(nodes, fmt.Sprintf(`"%d":{"kind":"array","value":[{"__ref":"%[2]d"},{"__ref":"%[2]d"}]}`, n, n-1))
	}
	return fmt.Sprintf(`{"__graph":true,"root":{"__ref":"%d"},"nodes":{%s}}`, levels, strings.Join(nodes, ","))
}

// What was decoded at the surface may be referred to from below, but not make a value
// deeper than a document could be.
func TestGraphDepth(t *testing.T) {
	chain := func(first, last int) []byte {
		nodes := `"0":{"kind":"array","value":[]}`
		for n := 1; n <= last; n++ {
			nodes += fmt.Sprintf(`,"%d":{"kind":"array","value":[{"__ref":"%d"}]}`, n, n-1)
		}
		return fmt.Appendf(nil, `{"__graph":true,"root":[{"__ref":"%d"},{"__ref":"%d"}],"nodes":{%s}}`, first, last, nodes)
	}
	var v any
	require.NoError(t, newCodec().Unmarshal(chain(400, 498), &v))
	_, err := newCodec().Marshal(v)
	require.NoError(t, err)
	require.ErrorContains(t, newCodec().Unmarshal(chain(490, 900), &v), "deeper")
	require.ErrorContains(t, newCodec().Unmarshal(chain(0, 500), &v), "deeper")
}

func TestGraphSharesWithinBounds(t *testing.T) {
	var v any
	require.NoError(t, newCodec().Unmarshal([]byte(bomb(10)), &v))
}

// A text that is shared is copied for each []byte that it is decoded into.
func TestGraphSharesLongTexts(t *testing.T) {
	shared := func(node string, times int) []byte {
		return []byte(`{"__graph":true,"root":[` + strings.Repeat(`{"__ref":"0"},`, times-1) + `{"__ref":"0"}],"nodes":{"0":` + node + `}}`)
	}
	type item struct{ Data []byte }
	text := strings.Repeat("AAAA", 25_000)
	data := `{"kind":"object","value":{"data":"` + text + `"}}`
	var items []item
	require.NoError(t, newCodec().Unmarshal(shared(data, 20), &items))
	assert.Len(t, items, 20)
	assert.Len(t, items[19].Data, 75_000)
	require.ErrorContains(t, newCodec().Unmarshal(shared(data, 1000), &items), "graph too large")
	for _, node := range []string{
		`{"kind":"object","value":{"` + text + `":1}}`,
		`{"kind":"object","value":{"a":{"` + text + `":1}}}`,
		`{"kind":"array","value":[` + strings.Repeat("1", 100_000) + `]}`,
		`{"kind":"type","type":"Set","value":["` + text + `"]}`,
	} {
		var raw []json.RawMessage
		require.ErrorContains(t, newCodec().Unmarshal(shared(node, 1000), &raw), "graph too large", node[:40])
	}
}

func TestAllowedTypes(t *testing.T) {
	c := &serializer.Codec{AllowedTypes: []string{"Date"}}
	var v any
	require.NoError(t, c.Unmarshal([]byte(dayText), &v))
	assert.Equal(t, day, v)
	require.Error(t, c.Unmarshal([]byte(record("Set", "[]")), &v))
	require.NoError(t, c.Unmarshal([]byte(`{"a":1}`), &v))
}

func TestUnmarshalNothing(t *testing.T) {
	var v any
	require.NoError(t, newCodec().Unmarshal(nil, &v))
	assert.Equal(t, serializer.Undefined{}, v)
	e := everything{Int: 5}
	require.NoError(t, newCodec().Unmarshal(nil, &e))
	assert.Zero(t, e)
	assert.Error(t, newCodec().Unmarshal([]byte{}, &v))
}

type celsius float64

func (c celsius) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{ "degrees": %v }`, float64(c)), nil
}

func TestMarshal(t *testing.T) {
	c := newCodec()
	type wrapped struct {
		Point  *point `json:"point,omitempty"`
		Count  int    `json:"count,string"`
		Hidden string `json:"-"`
		Type   string `json:"__type"`
		Proto  string `json:"__proto__"`
		Zero   any    `json:"zero,omitzero"`
	}
	for _, tc := range []struct {
		value any
		want  string
	}{
		{nil, `null`},
		{serializer.Undefined{}, record("Undefined", "null")},
		{(*time.Time)(nil), `null`},
		{[]any{day.In(time.FixedZone("", 3600)), &day}, `[` + dayText + `,` + dayText + `]`},
		{map[string]any{"b": 1, "a": []int(nil), "constructor": 1, "$runner.escape::": 2}, `{"$runner.escape::$runner.escape::":2,"a":null,"b":1}`},
		{wrapped{Point: &point{1, nil}, Count: 5, Type: "t"}, `{"point":{"__type":"Point","value":{"x":1,"y":null}},"count":"5","$runner.escape::__type":"t"}`},
		{map[int]bool{2: true, 10: false}, `{"10":false,"2":true}`},
		{big.NewInt(-5), record("BigInt", `"-5"`)},
		{*big.NewInt(5), record("BigInt", `"5"`)},
		{[]float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e21, 1e-7, 0.1, math.Copysign(0, -1)},
			`[{"__type":"NonFiniteNumber","value":"NaN"},` + infinity + `,{"__type":"NonFiniteNumber","value":"-Infinity"},1e+21,1e-7,0.1,0]`},
		{float32(0.1), `0.1`},
		{[]byte{0, 255}, record("Buffer", `[0,255]`)},
		{[]byte(nil), `null`},
		{[]byte{}, record("Buffer", `[]`)},
		{[2]byte{1, 2}, `[1,2]`},
		{serializer.Map{{"b", 1}, {nil, day}}, record("Map", `[["b",1],[null,`+dayText+`]]`)},
		{serializer.Set(nil), record("Set", `[]`)},
		{url.URL{Scheme: "http", Host: "h", Path: "/p q"}, record("URL", `"http://h/p%20q"`)},
		{url.Values{"a": {"1 2"}}, record("URLSearchParams", `"a=1+2"`)},
		{&serializer.Error{Message: "m", Cause: errors.New("plain"), Fields: map[string]any{"name": 1, "code": 2}},
			record("Error", `{"name":"Error","message":"m","customFields":{"code":2},"cause":{}}`)},
		{serializer.RegExp{Pattern: "a", Flags: "g"}, record("RegExp", `{"pattern":"a","flags":"g"}`)},
		{serializer.Symbol{Key: "k"}, record("Symbol", `{"kind":"For","key":"k"}`)},
		{&serializer.Error{Name: "E", Message: "m", Stack: "s"}, record("Error", `{"name":"E","message":"m","customFields":{},"stack":"s"}`)},
		{json.RawMessage(`{"__type": "Date", "value": 0}`), `{"__type":"Date","value":0}`},
		{celsius(20.5), `{"degrees":20.5}`},
		{json.Number("1.50"), `1.50`},
		{time.Duration(5), `5`},
		{"<a>\u2028\x01\xff\"\\", "\"<a>\u2028\\u0001\uFFFD\\\"\\\\\""},
	} {
		text, err := c.Marshal(tc.value)
		if assert.NoError(t, err, tc.want) {
			assert.Equal(t, tc.want, string(text))
		}
	}
}

func TestMarshalRefuses(t *testing.T) {
	type loop struct{ Next any }
	cycle := &loop{}
	cycle.Next = []any{cycle, cycle}
	var pointer any
	pointer = &pointer
	for name, value := range map[string]any{
		"function": func() {}, "channel": make(chan int), "complex": 1i, "cycle": cycle, "pointer to itself": pointer, "year": time.Date(300000, 1, 1, 0, 0, 0, 0, time.UTC),
		"kind": serializer.Binary{Kind: "Other"}, "length": serializer.Binary{Kind: "Int16Array", Bytes: []byte{1}}, "raw": json.RawMessage(`{`),
		"number": json.Number("x"), "key": map[float64]int{1: 1},
	} {
		_, err := newCodec().Marshal(value)
		assert.Error(t, err, name)
	}
}

func TestRegister(t *testing.T) {
	c := newCodec()
	assert.Panics(t, func() { serializer.Register[point](c, "Other") }, "type taken")
	assert.Panics(t, func() { serializer.Register[celsius](c, "Point") }, "id taken")
	assert.Panics(t, func() { serializer.Register[celsius](c, "Date") }, "id of the dialect")
	assert.Panics(t, func() { serializer.Register[celsius](c, "Buffer") }, "id of the dialect")
	assert.Panics(t, func() { serializer.Register[celsius](c, "") }, "no id")
	assert.Panics(t, func() { serializer.Register[time.Time](c, "Time") }, "type of the dialect")
	assert.Panics(t, func() { serializer.Register[*celsius](c, "C") }, "pointer")
	assert.Panics(t, func() { serializer.Register[error](c, "C") }, "interface")
	serializer.Register[celsius](c, "C")
	text, err := c.Marshal([]celsius{1})
	require.NoError(t, err)
	assert.Equal(t, `[{"__type":"C","value":{"degrees":1}}]`, string(text))
}

func TestMapGet(t *testing.T) {
	m := serializer.Map{{[]any{}, 1}, {"a", 2}, {1.0, 3}}
	v, ok := m.Get("a")
	assert.Equal(t, 2, v)
	assert.True(t, ok)
	_, ok = m.Get(1)
	assert.False(t, ok, "numbers are float64")
}

func TestError(t *testing.T) {
	inner := &serializer.Error{Name: "TypeError", Message: "in"}
	outer := fmt.Errorf("x: %w", &serializer.Error{Message: "out", Cause: inner})
	assert.EqualError(t, outer, "x: Error: out")
	assert.ErrorIs(t, outer, inner)
	assert.NoError(t, (&serializer.Error{Cause: "text"}).Unwrap())
}
