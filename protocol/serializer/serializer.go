// Package serializer is the dialect of Runner 5 and later: its serializer, for Go. With it a
// task's Go types have the values that a JavaScript caller sent, and the caller gets real dates,
// maps and big integers back.
//
//	registry := standalone.NewRegistry()
//	registry.Codec = new(serializer.Codec)
//
// In an any the values of JavaScript, on the left, have these Go types. Values of the types are
// encoded in the same form anywhere:
//
//	undefined                    Undefined
//	number, NaN, Infinity        float64
//	bigint                       *big.Int (big.Int is encoded alike)
//	Date                         time.Time
//	RegExp, Symbol               RegExp, Symbol
//	Map, Set                     Map, Set
//	Error                        *Error (Error is encoded alike)
//	URL, URLSearchParams         URL, URLSearchParams (url.URL, url.Values are encoded alike)
//	Buffer                       []byte
//	typed arrays, ArrayBuffer…   Binary
//	a registered type            its Go type
//
// Everything else follows encoding/json, with its struct tags. A field also accepts a value in
// other types: a bigint as any integer type that is large enough, a Map as a Go map, a Set as a
// slice, binary data as a []byte, and each also as a type that implements json.Unmarshaler, which
// gets the form on the wire. The output of a json.Marshaler must have the form on the wire. Go
// maps and slices are encoded as plain objects and arrays.
//
// Documents are refused for the same reasons as in Runner: unknown or invalid types, regular
// expressions that may take exponential time, depth. Members named __proto__, constructor and
// prototype are dropped in both directions.
//
// Some documents that Runner accepts are refused since they have no meaning here: dates that are
// invalid or not in ISO format, cyclic graphs, bigints of more than 10,000 digits, errors without
// a name, regular expressions in the newest syntax, unusual URLs. Texts are UTF-8: half of a
// surrogate pair becomes U+FFFD. The null cause of an error is lost. If the whole document is
// plain JSON, members with the same name that are objects fill one struct together, as in
// encoding/json; otherwise, and in an any, the last one counts.
package serializer

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/internal/dialect"
)

// Codec is the dialect. The zero value is ready to use. It may be used concurrently, but must not
// be changed after its first use, nor copied.
type Codec struct {
	// AllowedTypes are the names on the wire of the only types that are decoded. Nil means all.
	AllowedTypes []string

	types  dialect.Types
	custom custom
}

var _ protocol.Codec = (*Codec)(nil)

// custom has the registered types.
type custom struct {
	byID   map[string]reflect.Type
	byType map[reflect.Type]string
}

// Register makes T the Go type of the custom type with the same id in JavaScript. JavaScript's
// serialize must return what T is encoded as otherwise, by its fields or its own methods. It
// panics if id or T is registered already, or if T is a pointer or an interface.
func Register[T any](c *Codec, id string) {
	typ := reflect.TypeFor[T]()
	switch {
	case typ.Kind() == reflect.Pointer, typ.Kind() == reflect.Interface:
		panic(fmt.Sprintf("serializer: %s cannot be registered", typ))
	case id == "" || decoderOf(id) != nil || c.custom.byID[id] != nil:
		panic(fmt.Sprintf("serializer: the id %q is taken", id))
	case encoders[typ] != nil || c.custom.byType[typ] != "":
		panic(fmt.Sprintf("serializer: %s is registered twice", typ))
	}
	if c.custom.byID == nil {
		c.custom = custom{byID: make(map[string]reflect.Type), byType: make(map[reflect.Type]string)}
	}
	c.custom.byID[id], c.custom.byType[typ] = typ, id
}

// Marshal returns v as a document, always in tree form.
func (c *Codec) Marshal(v any) ([]byte, error) {
	text, err := dialect.Marshal(&rules{codec: c}, &c.types, v)
	if err != nil {
		return nil, fmt.Errorf("serializer: %w", err)
	}
	return text, nil
}

// Unmarshal decodes a document in tree or graph form; nil is Undefined. It follows
// protocol.Codec.
func (c *Codec) Unmarshal(data []byte, v any) error {
	if data == nil {
		return c.into(Undefined{}, v)
	}
	marked, err := dialect.Check(data, special)
	if err != nil {
		return err
	}
	if !marked && !c.types.Hold(v, isOwn) && json.Unmarshal(data, v) == nil {
		return nil
	}
	value, err := c.decode(data)
	if err != nil {
		return dialect.Invalid(err)
	}
	return c.into(value, v)
}

func (c *Codec) into(value, v any) error {
	d := dialect.Decoder{Rules: &rules{codec: c}, Types: &c.types}
	return d.Into(value, v)
}

// special reports whether a name in quotes has a meaning that plain JSON does not have.
func special(quoted []byte) bool {
	switch name := quoted[1 : len(quoted)-1]; quoted[1] {
	case '_':
		return string(name) == typeKey || string(name) == graphKey || string(name) == protoKey
	case '$':
		return strings.HasPrefix(string(name), escapePrefix)
	case 'c', 'p':
		return unsafeKey(string(name))
	}
	return false
}

const (
	typeKey      = "__type"
	graphKey     = "__graph"
	protoKey     = "__proto__"
	escapePrefix = "$runner.escape::"
)

func unsafeKey(name string) bool {
	return name == protoKey || name == "constructor" || name == "prototype"
}

var errPayload = errors.New("serializer: broken value")
