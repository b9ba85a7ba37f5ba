package schema

import (
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Of returns the schema of the values that encoding/json decodes into a Go type:
//
//   - a struct is an object with only its exported fields. Fields without omitempty or omitzero
//     are required. The names are those that would be encoded: the case of letters counts, so give
//     the fields json tags.
//   - a pointer, a slice and a map may also be null
//   - integers have the bounds of their type; []byte is a string
//   - if a type has a method JSONSchema() json.RawMessage, its schema is the result for the zero
//     value, an object without references: that of a standalone.File describes the object for a
//     file
//   - any other type that decodes itself is a string if it does so from text, a date-time if it is
//     time.Time, and otherwise anything
//
// Go's types have no bounds of values: write such schemas yourself, or return a *protocol.Error
// with CodeInvalidInput from the task. It describes plain JSON: a registry with another codec
// accepts other values.
func Of(t reflect.Type) json.RawMessage {
	g := generator{defs: map[string]any{}, names: map[reflect.Type]string{}}
	schema := g.schema(t)
	if len(g.defs) > 0 {
		// A named struct is a reference to one of the definitions.
		schema["$defs"] = g.defs
	}
	text, err := json.Marshal(schema)
	if err != nil {
		panic(err) // maps, strings and numbers can be encoded
	}
	return text
}

// Types returns the schemas of Go types as sources of a Set, for example for all inputs of a
// standalone.Registry.
func Types(types map[string]reflect.Type) map[string]any {
	sources := make(map[string]any, len(types))
	for id, t := range types {
		sources[id] = t
	}
	return sources
}

var (
	timeType        = reflect.TypeFor[time.Time]()
	numberType      = reflect.TypeFor[json.Number]()
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	describer       = reflect.TypeFor[interface{ JSONSchema() json.RawMessage }]()
)

type object = map[string]any

// generator makes the schema of one type. Named structs are definitions: they may contain
// themselves.
type generator struct {
	defs  map[string]any
	names map[reflect.Type]string
}

func (g *generator) schema(t reflect.Type) object {
	pointer := reflect.PointerTo(t)
	switch {
	case t == timeType:
		return object{"type": "string", "format": "date-time"}
	case t == numberType:
		return object{"type": "number"}
	case t.Kind() == reflect.Pointer && t.Implements(describer):
		return object{"anyOf": []object{described(t.Elem()), {"type": "null"}}}
	case t.Kind() == reflect.Pointer:
		return nullable(g.schema(t.Elem()))
	case pointer.Implements(describer):
		return described(t)
	case pointer.Implements(unmarshaler):
		return object{}
	case pointer.Implements(textUnmarshaler):
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		most := int64(1)<<(t.Bits()-1) - 1
		return object{"type": "integer", "minimum": -most - 1, "maximum": most}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return object{"type": "integer", "minimum": 0, "maximum": ^uint64(0) >> (64 - t.Bits())}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return nullable(object{"type": "string", "contentEncoding": "base64"})
		}
		return nullable(object{"type": "array", "items": g.schema(t.Elem())})
	case reflect.Array:
		return object{"type": "array", "items": g.schema(t.Elem()), "maxItems": t.Len()}
	case reflect.Map:
		return nullable(object{"type": "object", "additionalProperties": g.schema(t.Elem())})
	case reflect.Struct:
		return g.structure(t)
	}
	return object{} // an interface, or a type that cannot be decoded
}

// described returns the schema of a type with a method JSONSchema.
func described(t reflect.Type) object {
	own := reflect.New(t).Interface().(interface{ JSONSchema() json.RawMessage }).JSONSchema()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(own, &members); err != nil {
		panic(fmt.Errorf("schema: what JSONSchema of %v returns is no object: %w", t, err))
	}
	schema := make(object, len(members))
	for name, value := range members {
		schema[name] = value
	}
	return schema
}

func nullable(schema object) object {
	if name, ok := schema["type"].(string); ok {
		schema["type"] = []string{name, "null"}
	}
	if _, ok := schema["$ref"]; ok {
		return object{"anyOf": []object{schema, {"type": "null"}}}
	}
	return schema
}

func (g *generator) structure(t reflect.Type) object {
	if t.Name() == "" {
		return g.fields(t)
	}
	name, known := g.names[t]
	if !known {
		// Callers need not know its package.
		short, _, _ := strings.Cut(t.Name(), "[")
		name = short
		for n := 2; g.defs[name] != nil; n++ {
			name = short + strconv.Itoa(n)
		}
		g.names[t] = name
		g.defs[name] = object{} // taken
		g.defs[name] = g.fields(t)
	}
	return object{"$ref": "#/$defs/" + url.PathEscape(name)}
}

func (g *generator) fields(t reflect.Type) object {
	properties, required, depth := object{}, map[string]bool{}, map[string]int{}
	var skipped [][]int // embedded structs whose fields are not promoted
	for _, field := range reflect.VisibleFields(t) {
		tag := field.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		named := name != "" || !isStruct(field.Type)
		switch {
		case within(field.Index, skipped):
			continue
		case field.Anonymous && (tag == "-" || named || field.Type.Kind() == reflect.Pointer && !field.IsExported()):
			skipped = append(skipped, field.Index)
		case field.Anonymous:
			continue // its fields are separate entries
		}
		if !field.IsExported() || tag == "-" {
			continue
		}
		if name == "" {
			name = field.Name
		}
		if other, taken := depth[name]; taken && other <= len(field.Index) {
			continue
		}
		depth[name] = len(field.Index)
		properties[name] = g.field(field.Type, options)
		required[name] = !hasOption(options, "omitempty") && !hasOption(options, "omitzero")
	}
	maps.DeleteFunc(required, func(_ string, is bool) bool { return !is })
	return object{
		"type": "object", "properties": properties, "additionalProperties": false,
		"required": append([]string{}, slices.Sorted(maps.Keys(required))...),
	}
}

func (g *generator) field(t reflect.Type, options string) object {
	if hasOption(options, "string") {
		switch t.Kind() {
		case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
			reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
			reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
			return object{"type": "string"}
		}
	}
	return g.schema(t)
}

func hasOption(options, want string) bool {
	for option := range strings.SplitSeq(options, ",") {
		if option == want {
			return true
		}
	}
	return false
}

func isStruct(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct
}

// within reports whether a field is inside one of the skipped ones.
func within(index []int, skipped [][]int) bool {
	for _, outer := range skipped {
		if len(index) > len(outer) && reflect.DeepEqual(index[:len(outer)], outer) {
			return true
		}
	}
	return false
}
