// Package dialect is the common part of the dialects of JSON: the values of a document, and their
// conversion from and to Go types with json tags.
//
// It follows the rules of encoding/json except where a dialect has its own.
package dialect

import (
	"encoding"
	"encoding/json"
	"reflect"
	"time"
)

// Rules are the rules of a dialect. Their values are nil, bool, string, json.Number, []any and
// *Object, and the types of the dialect.
type Rules interface {
	// Name returns the name of a value of the dialect's own for errors, without the names of Go
	// types.
	Name(v any) string
	// Native returns a value of the dialect's own as its Go type in an any. It calls d.Native for
	// the values inside.
	Native(d *Decoder, v any) any
	// Decode sets target to v if the dialect has a rule for it, and reports whether it did. It
	// does not get values that can be assigned without a conversion.
	Decode(d *Decoder, v any, target reflect.Value) (bool, error)

	// Encode writes v, which is no pointer and no interface, if the dialect has a form for its
	// type, and reports whether it has one.
	Encode(e *Encoder, v reflect.Value) (bool, error)
	// Object checks the members of an object before they are written. It returns the members to
	// write, and the text to write before and after them.
	Object(fields []Field) (kept []Field, open, end string)
}

var (
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType        = reflect.TypeFor[time.Time]()
	objectType      = reflect.TypeFor[Object]()
	jsonNumber      = reflect.TypeFor[json.Number]() // goccy/go-json has the same type
)

// isJSON reports whether v is a value of plain JSON.
func isJSON(v any) bool {
	switch v.(type) {
	case nil, bool, string, json.Number, []any, *Object:
		return true
	}
	return false
}
