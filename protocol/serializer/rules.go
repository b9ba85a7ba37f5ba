package serializer

import (
	"math/big"
	"net/url"
	"reflect"
	"time"

	"github.com/bluelibs/go-tunnel/protocol/internal/dialect"
)

// rules are the rules of the dialect for package dialect.
type rules struct{ codec *Codec }

// newCustom decodes the payload of a custom type into one of its Go type.
func (c *Codec) newCustom(typ reflect.Type, payload any) (any, error) {
	v := reflect.New(typ).Elem()
	d := dialect.Decoder{Rules: &rules{codec: c}, Types: &c.types}
	if err := d.Decode(payload, v); err != nil {
		return nil, err
	}
	return v.Interface(), nil
}

// Name returns the name that a value's type has on the wire.
func (r *rules) Name(v any) string {
	switch v := v.(type) {
	case Undefined:
		return "undefined"
	case float64:
		return "NonFiniteNumber"
	case *big.Int:
		return "BigInt"
	case time.Time:
		return "Date"
	case []byte:
		return "Buffer"
	case *Error:
		return "Error"
	case Binary:
		return v.Kind
	}
	if id := r.codec.custom.byType[reflect.TypeOf(v)]; id != "" {
		return id
	}
	return reflect.TypeOf(v).Name()
}

// Native decodes the values inside values of the dialect.
func (r *rules) Native(d *dialect.Decoder, v any) any {
	switch v := v.(type) {
	case Map:
		m := make(Map, len(v))
		for i, e := range v {
			m[i] = Entry{d.Native(e.Key), d.Native(e.Value)}
		}
		return m
	case Set:
		s := make(Set, len(v))
		for i := range v {
			s[i] = d.Native(v[i])
		}
		return s
	case *Error:
		e := *v
		e.Cause = d.Native(v.Cause)
		if v.Fields != nil {
			e.Fields = make(map[string]any, len(v.Fields))
			for name, field := range v.Fields {
				e.Fields[name] = d.Native(field)
			}
		}
		return &e
	}
	return v
}

// ownTypes are the Go types that only values of the dialect are decoded into.
var ownTypes = map[reflect.Type]bool{
	reflect.TypeFor[Undefined]():       true,
	reflect.TypeFor[Map]():             true,
	reflect.TypeFor[Set]():             true,
	reflect.TypeFor[RegExp]():          true,
	reflect.TypeFor[Symbol]():          true,
	reflect.TypeFor[Error]():           true,
	reflect.TypeFor[URL]():             true,
	reflect.TypeFor[URLSearchParams](): true,
	reflect.TypeFor[Binary]():          true,
	reflect.TypeFor[url.URL]():         true,
}

// isOwn reports whether plain JSON must not be decoded into a type: not at all or, for a big.Int,
// only up to a certain length.
func isOwn(typ reflect.Type) bool { return ownTypes[typ] || typ == bigIntType }

var bigIntType = reflect.TypeFor[big.Int]()

// Decode decodes values of the dialect into other types than their own.
func (r *rules) Decode(d *dialect.Decoder, v any, target reflect.Value) (bool, error) {
	switch v := v.(type) {
	case Undefined:
		target.SetZero()
		return true, nil
	case *big.Int:
		return setInt(v, target), nil
	case float64:
		if target.CanFloat() {
			target.SetFloat(v)
			return true, nil
		}
	case Map:
		if target.Kind() == reflect.Map {
			return true, setMap(d, v, target)
		}
	case Set:
		if target.Kind() == reflect.Slice || target.Kind() == reflect.Array {
			return true, d.Decode([]any(v), target)
		}
	case []byte:
		return dialect.SetBytes(v, target), nil
	case Binary:
		return dialect.SetBytes(v.Bytes, target), nil
	case *Error:
		if target.Type() == reflect.TypeFor[Error]() {
			target.Set(reflect.ValueOf(d.Native(v)).Elem())
			return true, nil
		}
	case URL:
		if target.Type() == reflect.TypeFor[url.URL]() {
			u, err := v.Parse()
			return true, setParsed(d, v, reflect.ValueOf(u).Elem(), err, target)
		}
	case URLSearchParams:
		if target.Type() == reflect.TypeFor[url.Values]() {
			values, err := v.Parse()
			return true, setParsed(d, v, reflect.ValueOf(values), err, target)
		}
	}
	if v != nil && ownTypes[target.Type()] {
		return true, d.Mismatch(v, target)
	}
	return false, nil
}

func setParsed(d *dialect.Decoder, v any, parsed reflect.Value, err error, target reflect.Value) error {
	if err != nil {
		return d.Mismatch(v, target)
	}
	target.Set(parsed)
	return nil
}

func setInt(n *big.Int, target reflect.Value) bool {
	switch {
	case target.Type() == bigIntType:
		target.Addr().Interface().(*big.Int).Set(n)
	case target.CanInt() && n.IsInt64() && !target.OverflowInt(n.Int64()):
		target.SetInt(n.Int64())
	case target.CanUint() && n.IsUint64() && !target.OverflowUint(n.Uint64()):
		target.SetUint(n.Uint64())
	default:
		return false
	}
	return true
}

func setMap(d *dialect.Decoder, m Map, target reflect.Value) error {
	target.Set(reflect.MakeMapWithSize(target.Type(), len(m)))
	for _, e := range m {
		key := reflect.New(target.Type().Key()).Elem()
		if err := d.Decode(e.Key, key); err != nil {
			return err
		}
		if err := d.SetIndex(target, key, e.Value); err != nil {
			return err
		}
	}
	return nil
}
