package schema

import (
	"encoding/json"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

type tree struct {
	Value    int8             `json:"value"`
	Children []*tree          `json:"children,omitempty"`
	Other    *pair[tree, int] `json:"other,omitzero"`
}

type pair[A, B any] struct {
	First  *A
	Second B
}

type base struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
}

type Named struct{ X int }

type everything struct {
	base
	*Named   `json:"named"`
	Kind     bool              `json:"kind"` // hides base's
	Text     string            `json:"text,omitempty"`
	Number   float64           `json:"number"`
	Unsigned uint16            `json:"unsigned"`
	Quoted   int               `json:"quoted,string"`
	Bytes    []byte            `json:"bytes"`
	Four     [4]bool           `json:"four"`
	Map      map[string][]int8 `json:"map"`
	ByNumber map[int]string    `json:"byNumber"`
	Any      any               `json:"any"`
	Raw      json.RawMessage   `json:"raw"`
	Decimal  json.Number       `json:"decimal"`
	Time     time.Time         `json:"time"`
	Big      *big.Int          `json:"big"`
	Address  netip.Addr        `json:"address"`
	Inline   struct{ A int }   `json:"inline"`
	Skipped  chan int          `json:"-"`
}

func TestOf(t *testing.T) {
	for name, c := range map[string]struct {
		of   reflect.Type
		want string
	}{
		"bool":      {reflect.TypeFor[bool](), `{"type":"boolean"}`},
		"any":       {reflect.TypeFor[any](), `{}`},
		"int8":      {reflect.TypeFor[int8](), `{"type":"integer","minimum":-128,"maximum":127}`},
		"int64":     {reflect.TypeFor[int64](), `{"type":"integer","minimum":-9223372036854775808,"maximum":9223372036854775807}`},
		"uint64":    {reflect.TypeFor[uint64](), `{"type":"integer","minimum":0,"maximum":18446744073709551615}`},
		"pointer":   {reflect.TypeFor[*string](), `{"type":["string","null"]}`},
		"anonymous": {reflect.TypeFor[struct{ A, B int8 }](), `{"type":"object","properties":{"A":{"type":"integer","minimum":-128,"maximum":127},"B":{"type":"integer","minimum":-128,"maximum":127}},"required":["A","B"],"additionalProperties":false}`},
		"recursive": {reflect.TypeFor[tree](), `{"$ref":"#/$defs/tree","$defs":{
			"tree":{"type":"object","additionalProperties":false,"required":["value"],"properties":{
				"value":{"type":"integer","minimum":-128,"maximum":127},
				"children":{"type":["array","null"],"items":{"anyOf":[{"$ref":"#/$defs/tree"},{"type":"null"}]}},
				"other":{"anyOf":[{"$ref":"#/$defs/pair"},{"type":"null"}]}}},
			"pair":{"type":"object","additionalProperties":false,"required":["First","Second"],"properties":{
				"First":{"anyOf":[{"$ref":"#/$defs/tree"},{"type":"null"}]},
				"Second":{"type":"integer","minimum":` + strconv.Itoa(math.MinInt) + `,"maximum":` + strconv.Itoa(math.MaxInt) + `}}}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.JSONEq(t, c.want, string(Of(c.of)))
		})
	}
}

// What a type is encoded as fits its schema, and so does what it decodes.
func TestTypesFitTheirOwnSchemas(t *testing.T) {
	full := everything{
		base: base{ID: "x"}, Named: &Named{X: 1}, Text: "t", Bytes: []byte{1}, Map: map[string][]int8{"a": {1}}, ByNumber: map[int]string{1: "a"},
		Raw: json.RawMessage(`{"a":1}`), Decimal: "1.5", Time: time.Unix(0, 0), Big: big.NewInt(5), Address: netip.MustParseAddr("::1"),
	}
	set, err := Compile(Sources{
		Tasks:  Types(map[string]reflect.Type{"everything": reflect.TypeFor[everything](), "pointer": reflect.TypeFor[*everything]()}),
		Events: Types(map[string]reflect.Type{"tree": reflect.TypeFor[tree]()}),
	})
	require.NoError(t, err)
	check := func(kind protocol.Kind, id string, v any) error {
		payload, err := json.Marshal(v)
		require.NoError(t, err)
		return set.Check(t.Context(), &protocol.Call{Kind: kind, ID: id, Payload: payload})
	}
	assert.NoError(t, check(protocol.KindTask, "everything", full))
	assert.NoError(t, check(protocol.KindTask, "everything", everything{Decimal: "0"}))
	assert.NoError(t, check(protocol.KindTask, "pointer", nil))
	assert.NoError(t, check(protocol.KindEvent, "tree", tree{Children: []*tree{{}, nil}, Other: &pair[tree, int]{}}))

	for member, wrong := range map[string]string{
		"/id": `1`, "/kind": `"x"`, "/text": `null`, "/number": `"1"`, "/unsigned": `65536`, "/quoted": `1`, "/bytes": `[1]`, "/four": `[true,true,true,true,true]`,
		"/map": `[]`, "/decimal": `"1"`, "/time": `"yesterday"`, "/address": `1`, "/inline": `{}`, "/named": `{"x":1}`, "/ID": `"x"`, "/Skipped": `1`, "/hidden": `1`, "/X": `1`,
	} {
		encoded, err := json.Marshal(full)
		require.NoError(t, err)
		var document map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(encoded, &document))
		document[member[1:]] = json.RawMessage(wrong)
		assert.Contains(t, issuesOfError(t, check(protocol.KindTask, "everything", document)), member, wrong)
	}
}

// grade has a schema of its own.
type grade string

func (grade) JSONSchema() json.RawMessage {
	return json.RawMessage(`{"enum":["A","B"],"maximum":12345678901234567890}`)
}

type pointerGrade struct{}

func (*pointerGrade) JSONSchema() json.RawMessage { return json.RawMessage(`{"type":"string"}`) }

type badGrade struct{}

func (badGrade) JSONSchema() json.RawMessage { return json.RawMessage(`true`) }

func TestTypesThatDescribeThemselves(t *testing.T) {
	const own = `{"enum":["A","B"],"maximum":12345678901234567890}`
	for want, of := range map[string]reflect.Type{
		own: reflect.TypeFor[grade](),
		`{"anyOf":[` + own + `,{"type":"null"}]}`:       reflect.TypeFor[*grade](),
		`{"items":` + own + `,"type":["array","null"]}`: reflect.TypeFor[[]grade](),
		`{"type":"string"}`:                             reflect.TypeFor[pointerGrade](),
		`{"anyOf":[{"type":"string"},{"type":"null"}]}`: reflect.TypeFor[*pointerGrade](),
		`{"additionalProperties":false,"properties":{"G":` + own + `},"required":["G"],"type":"object"}`: reflect.TypeFor[struct{ G grade }](),
	} {
		assert.Equal(t, want, string(Of(of)))
	}
	assert.Panics(t, func() { Of(reflect.TypeFor[badGrade]()) })
}

func TestOfAnyType(t *testing.T) {
	for _, of := range []reflect.Type{
		reflect.TypeFor[chan int](), reflect.TypeFor[func()](), reflect.TypeFor[complex64](), reflect.TypeFor[map[any]any](), reflect.TypeFor[error](),
		reflect.TypeFor[struct{ Größe *struct{ X any } }](), reflect.TypeFor[time.Duration](), reflect.TypeFor[**int](), reflect.TypeFor[*everything](),
	} {
		_, err := Compile(Sources{Tasks: map[string]any{"a": of}})
		assert.NoError(t, err, of.String())
	}
}
