// Package dialect is what the dialects of JSON have in common: the values of a
// document, and the way between those and Go types with json tags.
//
// It follows the rules of encoding/json wherever a dialect has none of its own.
package dialect

import (
	"encoding"
	"encoding/json"
	"reflect"
	"time"
)

// Rules are what makes a dialect. The values they deal in are nil, bool, string,
// json.Number, []any and *Object, and those that the dialect has of its own.
type Rules interface {
	// Name returns what to call a value of the dialect's own in errors, without the
	// names of Go types.
	Name(v any) string
	// Native returns a value of the dialect's own as it stands in an any. What is inside
	// goes through d.Native.
	Native(d *Decoder, v any) any
	// Decode sets target to v where the dialect knows how, and reports whether it did.
	// Values that are assignable as they are do not come here.
	Decode(d *Decoder, v any, target reflect.Value) (bool, error)

	// Encode writes v, which is no pointer and no interface, if the dialect has a form
	// for its type, and reports whether it has.
	Encode(e *Encoder, v reflect.Value) (bool, error)
	// Object looks over the members of an object before they are written. It returns
	// those to write, and what to write before and after them.
	Object(fields []Field) (kept []Field, open, end string)
}

var (
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType        = reflect.TypeFor[time.Time]()
	objectType      = reflect.TypeFor[Object]()
	jsonNumber      = reflect.TypeFor[json.Number]() // which is that of goccy/go-json, too
)

// isJSON reports whether v is a value of plain JSON.
func isJSON(v any) bool {
	switch v.(type) {
	case nil, bool, string, json.Number, []any, *Object:
		return true
	}
	return false
}
