// Package ejson is the dialect of Runner 4: the EJSON of @bluelibs/ejson, for Go.
//
//	registry := standalone.NewRegistry()
//	registry.Codec = new(ejson.Codec)
//
// In an any its values, on the left, have these Go types. Values of the types are encoded in the
// same form anywhere:
//
//	number, NaN, Infinity    float64
//	Date                     time.Time
//	RegExp                   RegExp
//	Uint8Array, Buffer       []byte, see below
//	ObjectId                 ObjectID
//	a registered type        its Go type
//
// Everything else follows encoding/json, with its struct tags. EJSON has no form for bigint, Map,
// Set, Error and URL, and leaves out undefined.
//
// JavaScript writes a Uint8Array as the base64 of a text, its elements as decimal numbers with
// commas between them, and reads that text back. Here the value is the bytes themselves, and bytes
// are sent in the same form. Base64 of anything else is decoded as it is.
//
// Documents with unknown or invalid types, or deeper than 1000, are refused. Some documents that
// EJSON accepts are refused since they have no meaning here: dates that are invalid or not in ISO
// format, regular expressions of more than 1024 characters or in the newest syntax. Nothing checks
// whether a regular expression takes exponential time. Texts are UTF-8: half of a surrogate pair
// becomes U+FFFD.
package ejson

import (
	"encoding/hex"
	"fmt"
	"reflect"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/internal/dialect"
)

// RegExp is a JavaScript regular expression. A decoded one was checked to be valid in JavaScript;
// package regexp has another language.
type RegExp struct{ Pattern, Flags string }

// ObjectID is the id of a document of MongoDB.
type ObjectID [12]byte

// String returns the id in hexadecimal digits.
func (id ObjectID) String() string { return hex.EncodeToString(id[:]) }

// Codec is the dialect. The zero value is ready to use. It may be used concurrently, but must not
// be changed after its first use, nor copied.
type Codec struct {
	types  dialect.Types
	byName map[string]reflect.Type
	byType map[reflect.Type]string
}

var _ protocol.Codec = (*Codec)(nil)

// Register makes T the Go type of the custom type with the same name in JavaScript. Its
// toJSONValue must return T as plain JSON, by the rules of encoding/json: EJSON does not look for
// values of its own inside. It panics if the name or T is registered already, or if T is a pointer
// or an interface.
func Register[T any](c *Codec, name string) {
	typ := reflect.TypeFor[T]()
	switch {
	case typ.Kind() == reflect.Pointer, typ.Kind() == reflect.Interface:
		panic(fmt.Sprintf("ejson: %s cannot be registered", typ))
	case name == "" || c.byName[name] != nil:
		panic(fmt.Sprintf("ejson: the name %q is taken", name))
	case c.byType[typ] != "" || ownTypes[typ]:
		panic(fmt.Sprintf("ejson: %s is registered twice", typ))
	}
	if c.byName == nil {
		c.byName, c.byType = make(map[string]reflect.Type), make(map[reflect.Type]string)
	}
	c.byName[name], c.byType[typ] = typ, name
}

// Marshal returns v as a document.
func (c *Codec) Marshal(v any) ([]byte, error) {
	text, err := dialect.Marshal(&rules{codec: c}, &c.types, v)
	if err != nil {
		return nil, fmt.Errorf("ejson: %w", err)
	}
	return text, nil
}

// Unmarshal decodes a document; nil leaves v as it is. It follows protocol.Codec.
func (c *Codec) Unmarshal(data []byte, v any) error {
	if data == nil {
		return nil
	}
	marked, err := dialect.Check(data, func(quoted []byte) bool { return quoted[1] == '$' })
	if err != nil {
		return err
	}
	if !marked && !c.types.Hold(v, func(t reflect.Type) bool { return ownTypes[t] }) && json.Unmarshal(data, v) == nil {
		return nil
	}
	value, err := c.decode(dialect.Parse(data))
	if err != nil {
		return dialect.Invalid(err)
	}
	d := dialect.Decoder{Rules: &rules{codec: c}, Types: &c.types}
	return d.Into(value, v)
}
