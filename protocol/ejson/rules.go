package ejson

import (
	"encoding/base64"
	stdjson "encoding/json"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"time"

	"github.com/bluelibs/go-tunnel/protocol/internal/dialect"
	"github.com/bluelibs/go-tunnel/protocol/internal/ecma"
)

// rules are the rules of the dialect for package dialect.
type rules struct {
	codec *Codec
	plain bool // inside a custom type: plain JSON
}

// ownTypes are the Go types that plain JSON must not be decoded into: not at all or, for a
// big.Int, only up to a certain length.
var ownTypes = map[reflect.Type]bool{
	reflect.TypeFor[RegExp]():   true,
	reflect.TypeFor[ObjectID](): true,
	reflect.TypeFor[big.Int]():  true,
}

// Name returns the name of a value in EJSON.
func (r *rules) Name(v any) string {
	switch v.(type) {
	case float64:
		return "InfNaN"
	case time.Time:
		return "Date"
	case []byte:
		return "Binary"
	}
	if name := r.codec.byType[reflect.TypeOf(v)]; name != "" {
		return name
	}
	return reflect.TypeOf(v).Name()
}

// Native returns v, which has no values inside.
func (r *rules) Native(_ *dialect.Decoder, v any) any { return v }

// Decode decodes values of the dialect into other types than their own.
func (r *rules) Decode(d *dialect.Decoder, v any, target reflect.Value) (bool, error) {
	switch v := v.(type) {
	case float64:
		if target.CanFloat() {
			target.SetFloat(v)
			return true, nil
		}
	case []byte:
		return dialect.SetBytes(v, target), nil
	}
	if v != nil && (target.Type() == reflect.TypeFor[RegExp]() || target.Type() == reflect.TypeFor[ObjectID]()) {
		return true, d.Mismatch(v, target)
	}
	return false, nil
}

// Object drops the name that EJSON loses, and escapes an object that looks like a marker.
func (r *rules) Object(fields []dialect.Field) (kept []dialect.Field, open, end string) {
	kept = fields[:0]
	for _, f := range fields {
		if f.Name != "__proto__" {
			kept = append(kept, f)
		}
	}
	if r.plain || len(kept) == 0 || len(kept) > 2 {
		return kept, "{", "}"
	}
	names := new(dialect.Object)
	for _, f := range kept {
		names.Members = append(names.Members, dialect.Member{Name: f.Name})
	}
	if r.codec.marker(names) == nil {
		return kept, "{", "}"
	}
	return kept, `{"$escape":{`, "}}"
}

// Encode writes the types of the dialect.
func (r *rules) Encode(e *dialect.Encoder, v reflect.Value) (bool, error) {
	if r.plain {
		return false, nil
	}
	if name := r.codec.byType[v.Type()]; name != "" {
		return true, r.encodeCustom(e, name, v)
	}
	switch own := v.Interface().(type) {
	case time.Time:
		e.Raw(`{"$date":`)
		ms := ecma.Millis(own)
		if _, ok := ecma.DateFromMillis(ms); !ok {
			e.Raw("null}") // EJSON writes an invalid date like this
			return true, nil
		}
		e.Raw(strconv.FormatInt(int64(ms), 10) + "}")
		return true, nil
	case RegExp:
		e.Raw(`{"$regexp":`)
		e.String(own.Pattern)
		e.Raw(`,"$flags":`)
		e.String(own.Flags)
		e.Raw("}")
		return true, nil
	case ObjectID:
		e.Raw(`{"$objectId":"` + own.String() + `"}`)
		return true, nil
	}
	kind := v.Kind()
	switch {
	case (kind == reflect.Float64 || kind == reflect.Float32) && math.IsNaN(v.Float()):
		e.Raw(`{"$InfNaN":0}`)
	case (kind == reflect.Float64 || kind == reflect.Float32) && math.IsInf(v.Float(), 1):
		e.Raw(`{"$InfNaN":1}`)
	case (kind == reflect.Float64 || kind == reflect.Float32) && math.IsInf(v.Float(), -1):
		e.Raw(`{"$InfNaN":-1}`)
	case kind == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 && !v.IsNil() && !v.Type().Implements(marshaler):
		e.Raw(`{"$binary":"` + encodeBytes(v.Bytes()) + `"}`)
	default:
		return false, nil
	}
	return true, nil
}

var marshaler = reflect.TypeFor[stdjson.Marshaler]()

func encodeBytes(data []byte) string {
	var text []byte
	for i, b := range data {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendUint(text, uint64(b), 10)
	}
	if len(text) == 0 {
		text = empty
	}
	return base64.StdEncoding.EncodeToString(text)
}

func (r *rules) encodeCustom(e *dialect.Encoder, name string, v reflect.Value) error {
	payload, err := dialect.Marshal(&rules{codec: r.codec, plain: true}, &r.codec.types, v.Interface())
	if err != nil {
		return err
	}
	e.Raw(`{"$type":`)
	e.String(name)
	e.Raw(`,"$value":`)
	e.Raw(string(payload))
	e.Raw("}")
	return nil
}
