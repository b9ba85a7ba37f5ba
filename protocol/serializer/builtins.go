package serializer

import (
	"encoding/json"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/bluelibs/go-tunnel/protocol/internal/dialect"
	"github.com/bluelibs/go-tunnel/protocol/internal/ecma"
)

// maxDigits bounds bigints: the time to parse them grows with the square of the digits.
const maxDigits = 10_000

// decoders has the functions that make a value of each type from its payload.
var decoders = map[string]func(payload any) (any, error){
	"Undefined":       func(any) (any, error) { return Undefined{}, nil },
	"NonFiniteNumber": nonFinite,
	"BigInt":          bigInt,
	"Date":            date,
	"RegExp":          regExp,
	"Symbol":          symbol,
	"Map":             mapOf,
	"Set":             setOf,
	"Error":           errorOf,
	"URL":             urlOf,
	"URLSearchParams": searchParams,
}

// decoderOf returns the decoder of one of the dialect's own types, nil if there is none.
func decoderOf(name string) func(payload any) (any, error) {
	if size := elementSizes[name]; size > 0 {
		return func(payload any) (any, error) { return binary(name, size, payload) }
	}
	return decoders[name]
}

func nonFinite(payload any) (any, error) {
	switch payload {
	case "NaN":
		return math.NaN(), nil
	case "Infinity":
		return math.Inf(1), nil
	case "-Infinity":
		return math.Inf(-1), nil
	}
	return nil, errPayload
}

func bigInt(payload any) (any, error) {
	text, _ := payload.(string)
	text = ecma.TrimSpace(text)
	digits := strings.TrimPrefix(text, "-")
	if digits == text {
		digits = strings.TrimPrefix(text, "+")
	}
	if digits == "" || len(digits) > maxDigits || strings.Trim(digits, "0123456789") != "" {
		return nil, errPayload
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil, errPayload
	}
	return n, nil
}

func date(payload any) (any, error) {
	var t time.Time
	ok := false
	switch v := payload.(type) {
	case nil:
		t, ok = ecma.DateFromMillis(0)
	case json.Number:
		t, ok = ecma.DateFromMillis(dialect.Float(string(v)))
	case string:
		t, ok = ecma.ParseDate(v)
	}
	if !ok {
		return nil, errPayload
	}
	return t, nil
}

func regExp(payload any) (any, error) {
	pattern, ok1 := text(payload, "pattern")
	flags, ok2 := text(payload, "flags")
	if !ok1 || !ok2 || !ecma.RegExp(pattern, flags) || !ecma.Safe(pattern) {
		return nil, errPayload
	}
	sorted := []byte(flags)
	slices.Sort(sorted) // as in a RegExp object
	return RegExp{Pattern: pattern, Flags: string(sorted)}, nil
}

// text returns a member of an object, which must be a string.
func text(v any, name string) (string, bool) {
	o, ok := v.(*dialect.Object)
	if !ok {
		return "", false
	}
	member, _ := o.Get(name)
	s, ok := member.(string)
	return s, ok
}

// wellKnown are the well-known symbols of every JavaScript engine.
var wellKnown = map[string]bool{
	"asyncIterator": true, "hasInstance": true, "isConcatSpreadable": true, "iterator": true, "match": true, "matchAll": true,
	"replace": true, "search": true, "species": true, "split": true, "toPrimitive": true, "toStringTag": true, "unscopables": true,
}

func symbol(payload any) (any, error) {
	kind, _ := text(payload, "kind")
	key, ok := text(payload, "key")
	switch {
	case ok && kind == "For":
		return Symbol{Key: key}, nil
	case ok && kind == "WellKnown" && wellKnown[key]:
		return Symbol{Key: key, WellKnown: true}, nil
	}
	return nil, errPayload
}

func mapOf(payload any) (any, error) {
	pairs, ok := elements(payload)
	if !ok {
		return nil, errPayload
	}
	m := make(Map, 0, len(pairs)+1) // see identity
	index := make(map[any]int, len(pairs))
	for _, pair := range pairs {
		pair, ok := pair.([]any)
		if !ok {
			return nil, errPayload
		}
		entry := Entry{Undefined{}, Undefined{}}
		if len(pair) > 0 {
			entry.Key = pair[0]
		}
		if len(pair) > 1 {
			entry.Value = pair[1]
		}
		id := identity(entry.Key)
		if i, known := index[id]; known {
			m[i].Value = entry.Value
			continue
		}
		index[id] = len(m)
		m = append(m, entry)
	}
	return m, nil
}

func setOf(payload any) (any, error) {
	var values []any
	switch v := payload.(type) {
	case string:
		for _, r := range v {
			values = append(values, string(r))
		}
	default:
		var ok bool
		if values, ok = elements(payload); !ok {
			return nil, errPayload
		}
	}
	s := make(Set, 0, len(values)+1) // see identity
	known := make(map[any]bool, len(values))
	for _, v := range values {
		if id := identity(v); !known[id] {
			known[id] = true
			s = append(s, v)
		}
	}
	return s, nil
}

// elements returns the elements of a Map or a Set.
func elements(payload any) ([]any, bool) {
	switch v := payload.(type) {
	case nil, Undefined:
		return nil, true
	case []any:
		return v, true
	}
	return nil, false
}

// identity returns equal results for values that are the same key to a Map: equal numbers and
// texts, but for an object only the object itself. No two slices of a document begin at the same
// place, since each is made with room.
func identity(v any) any {
	type (
		nan    struct{}
		bigint string
		object uintptr
	)
	switch v := v.(type) {
	case json.Number:
		return dialect.Float(string(v))
	case float64:
		if math.IsNaN(v) {
			return nan{}
		}
		return v
	case *big.Int:
		return bigint(v.String())
	case []any, Map, Set, []byte:
		return object(reflect.ValueOf(v).Pointer())
	case nil, bool, string, Undefined, Symbol, *Error, *dialect.Object:
		return v
	}
	return new(int8) // the value is another object, even if it is equal
}

// notFields are the names that an error cannot have for fields of its own.
var notFields = map[string]bool{
	"name": true, "message": true, "stack": true, "cause": true, "toString": true, "toLocaleString": true, "valueOf": true,
	"hasOwnProperty": true, "isPrototypeOf": true, "propertyIsEnumerable": true, "__defineGetter__": true,
	"__defineSetter__": true, "__lookupGetter__": true, "__lookupSetter__": true, "toJSON": true,
}

func errorOf(payload any) (any, error) {
	name, ok1 := text(payload, "name")
	message, ok2 := text(payload, "message")
	if !ok1 || !ok2 || name == "" {
		return nil, errPayload
	}
	e := &Error{Name: name, Message: message}
	o := payload.(*dialect.Object)
	e.Cause, _ = o.Get("cause")
	if stack, ok := o.Get("stack"); ok && stack != (Undefined{}) {
		if e.Stack, ok = stack.(string); !ok {
			return nil, errPayload
		}
	}
	fields, ok := o.Get("customFields")
	if !ok || fields == (Undefined{}) {
		return e, nil
	}
	own, ok := fields.(*dialect.Object)
	if !ok {
		return nil, errPayload
	}
	e.Fields = make(map[string]any, len(own.Members))
	for _, m := range own.Members {
		if !notFields[m.Name] {
			e.Fields[m.Name] = m.Value
		}
	}
	return e, nil
}

func urlOf(payload any) (any, error) {
	if text, ok := payload.(string); ok && ecma.URL(text) {
		return URL(text), nil
	}
	return nil, errPayload
}

func searchParams(payload any) (any, error) {
	if text, ok := payload.(string); ok {
		return URLSearchParams(text), nil
	}
	return nil, errPayload
}

func binary(kind string, size int, payload any) (any, error) {
	items, ok := payload.([]any)
	if !ok || len(items)%size != 0 {
		return nil, errPayload
	}
	data := make([]byte, len(items), len(items)+1) // see identity
	for i, item := range items {
		number, ok := item.(json.Number)
		value := dialect.Float(string(number))
		if !ok || value != math.Trunc(value) || value < 0 || value > 255 {
			return nil, errPayload
		}
		data[i] = byte(value)
	}
	if kind == "Buffer" {
		return data, nil
	}
	return Binary{Kind: kind, Bytes: data}, nil
}
