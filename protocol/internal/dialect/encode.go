package dialect

import (
	"bytes"
	"cmp"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

// Encoder writes Go values as JSON text.
type Encoder struct {
	rules Rules
	types *Types
	buf   []byte
	depth int
}

// Field is a member of an object that will be written.
type Field struct {
	Name     string
	value    reflect.Value
	asString bool
}

var errDepth = errors.New("value nested too deep, or in itself")

// Marshal returns v as one JSON document.
func Marshal(rules Rules, types *Types, v any) ([]byte, error) {
	e := Encoder{rules: rules, types: types}
	if err := e.Value(reflect.ValueOf(v)); err != nil {
		return nil, err
	}
	return e.buf, nil
}

// Raw writes text unchanged.
func (e *Encoder) Raw(text string) { e.buf = append(e.buf, text...) }

// Any writes v.
func (e *Encoder) Any(v any) error { return e.Value(reflect.ValueOf(v)) }

// Value writes v, null if it is invalid.
func (e *Encoder) Value(v reflect.Value) error {
	if e.depth > protocol.MaxDepth {
		return errDepth
	}
	e.depth++
	defer func() { e.depth-- }()

	for hops := 0; v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface; hops++ {
		if hops > protocol.MaxDepth {
			return errDepth
		}
		v = v.Elem() // for nil it becomes invalid
	}
	if !v.IsValid() {
		e.Raw("null")
		return nil
	}
	if own, err := e.rules.Encode(e, v); own || err != nil {
		return err
	}
	return e.Plain(v)
}

// Plain writes v, which is no pointer and no interface, as encoding/json would, and the values
// inside by the rules of the dialect.
func (e *Encoder) Plain(v reflect.Value) error {
	if done, err := e.method(v); done {
		return err
	}
	switch kind := v.Kind(); {
	case kind == reflect.Bool:
		e.buf = strconv.AppendBool(e.buf, v.Bool())
	case v.CanInt():
		e.buf = strconv.AppendInt(e.buf, v.Int(), 10)
	case v.CanUint():
		e.buf = strconv.AppendUint(e.buf, v.Uint(), 10)
	case kind == reflect.Float32:
		return e.float(v.Float(), 32)
	case kind == reflect.Float64:
		return e.float(v.Float(), 64)
	case v.Type() == jsonNumber:
		return e.number(v.String())
	case kind == reflect.String:
		e.String(v.String())
	case v.Type() == objectType:
		return e.parsed(v.Interface().(Object))
	case kind == reflect.Struct:
		return e.structure(v)
	case kind == reflect.Map:
		return e.mapping(v)
	case kind == reflect.Slice && v.IsNil():
		e.Raw("null")
	case kind == reflect.Slice, kind == reflect.Array:
		return e.List(v)
	default:
		return fmt.Errorf("cannot encode a %s", v.Type())
	}
	return nil
}

// method calls the method by which a type encodes itself, if it has one.
func (e *Encoder) method(v reflect.Value) (done bool, err error) {
	if v.CanAddr() {
		v = v.Addr()
	}
	switch {
	case v.Type().Implements(jsonMarshaler):
		text, err := v.Interface().(json.Marshaler).MarshalJSON()
		if err == nil {
			err = rawjson.Check(text, protocol.MaxDepth-e.depth+1)
		}
		if err != nil {
			return true, fmt.Errorf("%s: %w", v.Type(), err)
		}
		compact := bytes.NewBuffer(e.buf)
		err = json.Compact(compact, text)
		e.buf = compact.Bytes()
		return true, err
	case v.Type().Implements(textMarshaler):
		text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return true, fmt.Errorf("%s: %w", v.Type(), err)
		}
		e.String(string(text))
		return true, nil
	}
	return false, nil
}

func (e *Encoder) float(f float64, bits int) error {
	text, ok := formatFloat(f, bits)
	if !ok {
		return fmt.Errorf("cannot encode the number %v", f)
	}
	e.Raw(text)
	return nil
}

func (e *Encoder) number(text string) error {
	if text == "" {
		text = "0" // as in encoding/json
	}
	if c := text[0]; c != '-' && (c < '0' || c > '9') || rawjson.Check([]byte(text), 0) != nil {
		return fmt.Errorf("%q is no number", text)
	}
	e.Raw(text)
	return nil
}

// List writes the elements of a slice or an array.
func (e *Encoder) List(v reflect.Value) error {
	e.Raw("[")
	for i := range v.Len() {
		if i > 0 {
			e.Raw(",")
		}
		if err := e.Value(v.Index(i)); err != nil {
			return err
		}
	}
	e.Raw("]")
	return nil
}

func (e *Encoder) structure(v reflect.Value) error {
	known := e.types.fields(v.Type())
	members := make([]Field, 0, len(known.list))
	for _, f := range known.list {
		if value := f.in(v, false); value.IsValid() && !f.omitted(value) {
			members = append(members, Field{f.name, value, f.asString})
		}
	}
	return e.object(members)
}

// parsed writes an object of a document.
func (e *Encoder) parsed(o Object) error {
	members := make([]Field, len(o.Members))
	for i, m := range o.Members {
		members[i] = Field{Name: m.Name, value: reflect.ValueOf(m.Value)}
	}
	return e.object(members)
}

func (e *Encoder) mapping(v reflect.Value) error {
	if v.IsNil() {
		e.Raw("null")
		return nil
	}
	members := make([]Field, 0, v.Len())
	for entries := v.MapRange(); entries.Next(); {
		name, err := keyName(entries.Key())
		if err != nil {
			return err
		}
		members = append(members, Field{Name: name, value: entries.Value()})
	}
	slices.SortFunc(members, func(a, b Field) int { return cmp.Compare(a.Name, b.Name) })
	return e.object(members)
}

func keyName(key reflect.Value) (string, error) {
	if key.Kind() == reflect.String {
		return key.String(), nil
	}
	if m, ok := key.Interface().(encoding.TextMarshaler); ok {
		if key.Kind() == reflect.Pointer && key.IsNil() {
			return "", nil
		}
		text, err := m.MarshalText()
		return string(text), err
	}
	switch {
	case key.CanInt():
		return strconv.FormatInt(key.Int(), 10), nil
	case key.CanUint():
		return strconv.FormatUint(key.Uint(), 10), nil
	}
	return "", fmt.Errorf("a %s cannot name a member", key.Type())
}

func (e *Encoder) object(members []Field) error {
	members, open, end := e.rules.Object(members)
	e.Raw(open)
	for i, m := range members {
		if i > 0 {
			e.Raw(",")
		}
		e.String(m.Name)
		e.Raw(":")
		start := len(e.buf)
		if err := e.Value(m.value); err != nil {
			return err
		}
		if m.asString && string(e.buf[start:]) != "null" {
			text := string(e.buf[start:])
			e.buf = e.buf[:start]
			e.String(text)
		}
	}
	e.Raw(end)
	return nil
}
