package serializer

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/bluelibs/go-tunnel/protocol/internal/dialect"
	"github.com/bluelibs/go-tunnel/protocol/internal/ecma"
)

// Object escapes and drops names.
func (r *rules) Object(fields []dialect.Field) (kept []dialect.Field, open, end string) {
	kept = fields[:0]
	for _, f := range fields {
		if unsafeKey(f.Name) {
			continue
		}
		if f.Name == typeKey || f.Name == graphKey || strings.HasPrefix(f.Name, escapePrefix) {
			f.Name = escapePrefix + f.Name
		}
		kept = append(kept, f)
	}
	return kept, "{", "}"
}

// Encode writes the types of the dialect.
func (r *rules) Encode(e *dialect.Encoder, v reflect.Value) (bool, error) {
	typ := v.Type()
	if encode := encoders[typ]; encode != nil {
		return true, encode(e, v)
	}
	if id := r.codec.custom.byType[typ]; id != "" {
		return true, record(e, id, func() error { return e.Plain(v) })
	}
	switch kind := v.Kind(); {
	case (kind == reflect.Float64 || kind == reflect.Float32) && (math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0)):
		return true, typed(e, "NonFiniteNumber", nonFiniteName(v.Float()))
	case kind == reflect.Slice && typ.Elem().Kind() == reflect.Uint8 && !v.IsNil() && !typ.Implements(marshaler):
		return true, encodeBytes(e, "Buffer", v.Bytes())
	}
	return false, nil
}

func nonFiniteName(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return "NaN"
}

var marshaler = reflect.TypeFor[json.Marshaler]()

// record writes a value of a type.
func record(e *dialect.Encoder, name string, payload func() error) error {
	e.Raw(`{"__type":`)
	e.String(name)
	e.Raw(`,"value":`)
	err := payload()
	e.Raw("}")
	return err
}

func typed(e *dialect.Encoder, name string, payload any) error {
	return record(e, name, func() error { return e.Any(payload) })
}

// encoders has the types for which the dialect has forms.
var encoders = tableOf(
	encoder(func(e *dialect.Encoder, _ Undefined) error { return typed(e, "Undefined", nil) }),
	encoder(func(e *dialect.Encoder, n big.Int) error { return typed(e, "BigInt", n.String()) }),
	encoder(encodeTime),
	encoder(func(e *dialect.Encoder, r RegExp) error {
		return typed(e, "RegExp", regExpPayload(r))
	}),
	encoder(encodeSymbol),
	encoder(encodeMap),
	encoder(func(e *dialect.Encoder, s Set) error { return typed(e, "Set", append([]any{}, s...)) }),
	encoder(encodeError),
	encoder(func(e *dialect.Encoder, u URL) error { return typed(e, "URL", string(u)) }),
	encoder(func(e *dialect.Encoder, u url.URL) error { return typed(e, "URL", u.String()) }),
	encoder(func(e *dialect.Encoder, p URLSearchParams) error { return typed(e, "URLSearchParams", string(p)) }),
	encoder(func(e *dialect.Encoder, p url.Values) error { return typed(e, "URLSearchParams", p.Encode()) }),
	encoder(encodeBinary),
)

type typeEncoder struct {
	typ    reflect.Type
	encode func(e *dialect.Encoder, v reflect.Value) error
}

func encoder[T any](encode func(e *dialect.Encoder, v T) error) typeEncoder {
	return typeEncoder{reflect.TypeFor[T](), func(e *dialect.Encoder, v reflect.Value) error {
		return encode(e, v.Interface().(T))
	}}
}

func tableOf(all ...typeEncoder) map[reflect.Type]func(*dialect.Encoder, reflect.Value) error {
	table := make(map[reflect.Type]func(*dialect.Encoder, reflect.Value) error)
	for _, e := range all {
		table[e.typ] = e.encode
	}
	return table
}

func encodeTime(e *dialect.Encoder, t time.Time) error {
	text, ok := ecma.FormatDate(t)
	if !ok {
		return fmt.Errorf("JavaScript has no date for the year %d", t.Year())
	}
	return typed(e, "Date", text)
}

// The payloads have their members in the order in which Runner writes them: the hash of a body
// depends on it.
type (
	regExpPayload struct {
		Pattern string `json:"pattern"`
		Flags   string `json:"flags"`
	}
	symbolPayload struct {
		Kind string `json:"kind"`
		Key  string `json:"key"`
	}
	errorPayload struct {
		Name    string         `json:"name"`
		Message string         `json:"message"`
		Fields  map[string]any `json:"customFields"`
		Stack   *string        `json:"stack,omitempty"`
		Cause   any            `json:"cause,omitempty"`
	}
)

func encodeSymbol(e *dialect.Encoder, s Symbol) error {
	kind := "For"
	if s.WellKnown {
		kind = "WellKnown"
	}
	return typed(e, "Symbol", symbolPayload{kind, s.Key})
}

func encodeMap(e *dialect.Encoder, m Map) error {
	pairs := make([][2]any, len(m))
	for i, entry := range m {
		pairs[i] = [2]any{entry.Key, entry.Value}
	}
	return typed(e, "Map", pairs)
}

func encodeBinary(e *dialect.Encoder, b Binary) error {
	if size := elementSizes[b.Kind]; size == 0 || len(b.Bytes)%size != 0 {
		return fmt.Errorf("%d bytes are no %q", len(b.Bytes), b.Kind)
	}
	return encodeBytes(e, b.Kind, b.Bytes)
}

func encodeError(e *dialect.Encoder, v Error) error {
	own := make(map[string]any, len(v.Fields))
	for name, field := range v.Fields {
		if !notFields[name] {
			own[name] = field
		}
	}
	payload := errorPayload{Name: v.name(), Message: v.Message, Fields: own, Cause: v.Cause}
	if v.Stack != "" {
		payload.Stack = &v.Stack
	}
	return typed(e, "Error", payload)
}

func encodeBytes(e *dialect.Encoder, kind string, data []byte) error {
	return record(e, kind, func() error {
		text := make([]byte, 0, 4*len(data)+2)
		for _, b := range data {
			text = append(strconv.AppendUint(text, uint64(b), 10), ',')
		}
		e.Raw("[" + strings.TrimSuffix(string(text), ",") + "]")
		return nil
	})
}
