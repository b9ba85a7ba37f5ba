package dialect

import (
	"encoding"
	"encoding/base64"
	stdjson "encoding/json"
	"errors"
	"reflect"
	"strconv"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

// Decoder sets Go values from the values of a document.
type Decoder struct {
	Rules Rules
	Types *Types
}

// maxDigits bounds the numbers that types of arbitrary precision are decoded from: the time for
// that grows with the square of the digits.
const maxDigits = 10_000

// Into decodes v into the value that pointer points to. The error is a *json.UnmarshalTypeError of
// goccy/go-json, whose Field is the path to the value, or that of a method of the type.
func (d *Decoder) Into(v any, pointer any) error {
	target := reflect.ValueOf(pointer)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return &json.InvalidUnmarshalError{Type: reflect.TypeOf(pointer)}
	}
	return d.Decode(v, target.Elem())
}

// Decode sets target to v.
func (d *Decoder) Decode(v any, target reflect.Value) error {
	own := !isJSON(v)
	if own && reflect.TypeOf(v).AssignableTo(target.Type()) {
		target.Set(reflect.ValueOf(d.Native(v)))
		return nil
	}
	if target.Kind() == reflect.Interface {
		return d.iface(v, target)
	}
	if done, err := d.Rules.Decode(d, v, target); done || err != nil {
		return err
	}
	if target.Kind() == reflect.Pointer {
		return d.pointer(v, target)
	}
	if done, err := d.method(v, target); done {
		return err
	}
	switch v := v.(type) {
	case nil:
		if kind := target.Kind(); kind == reflect.Map || kind == reflect.Slice {
			target.SetZero()
		}
		return nil
	case bool:
		if target.Kind() == reflect.Bool {
			target.SetBool(v)
			return nil
		}
	case string:
		return d.text(v, target)
	case stdjson.Number:
		return d.number(string(v), target)
	case []any:
		return d.list(v, target)
	case *Object:
		return d.object(v, target)
	}
	return d.Mismatch(v, target)
}

func (d *Decoder) iface(v any, target reflect.Value) error {
	switch {
	case target.NumMethod() > 0 && v != nil:
		return d.Mismatch(v, target)
	case v == nil:
		target.SetZero()
	default:
		target.Set(reflect.ValueOf(d.Native(v)))
	}
	return nil
}

func (d *Decoder) pointer(v any, target reflect.Value) error {
	if v == nil {
		target.SetZero()
		return nil
	}
	if target.IsNil() {
		target.Set(reflect.New(target.Type().Elem()))
	}
	return d.Decode(v, target.Elem())
}

// method calls the method by which a type decodes itself, if it has one.
func (d *Decoder) method(v any, target reflect.Value) (done bool, err error) {
	if !target.CanAddr() {
		return false, nil
	}
	pointer := target.Addr()
	switch value := v.(type) {
	case nil, string:
	case stdjson.Number:
		if len(value) > maxDigits {
			return true, d.Mismatch(v, target)
		}
	default:
		if target.Type() == timeType { // its own error does not help a caller
			return true, d.Mismatch(v, target)
		}
	}
	if pointer.Type().Implements(jsonUnmarshaler) {
		text, err := Marshal(d.Rules, d.Types, v)
		if err == nil {
			err = pointer.Interface().(stdjson.Unmarshaler).UnmarshalJSON(text)
		}
		return true, err
	}
	if text, ok := v.(string); ok && pointer.Type().Implements(textUnmarshaler) {
		return true, pointer.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
	}
	return false, nil
}

func (d *Decoder) text(v string, target reflect.Value) error {
	switch {
	case target.Kind() == reflect.String && target.Type() != jsonNumber:
		target.SetString(v)
	case target.Kind() == reflect.Slice && target.Type().Elem().Kind() == reflect.Uint8:
		data, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return d.Mismatch(v, target)
		}
		target.SetBytes(data)
	default:
		return d.Mismatch(v, target)
	}
	return nil
}

func (d *Decoder) number(text string, target reflect.Value) error {
	switch kind := target.Kind(); {
	case target.CanInt():
		if n, err := strconv.ParseInt(text, 10, target.Type().Bits()); err == nil {
			target.SetInt(n)
			return nil
		}
	case target.CanUint():
		if n, err := strconv.ParseUint(text, 10, target.Type().Bits()); err == nil {
			target.SetUint(n)
			return nil
		}
	case kind == reflect.Float64:
		target.SetFloat(Float(text))
		return nil
	case kind == reflect.Float32:
		if f, err := strconv.ParseFloat(text, 32); err == nil {
			target.SetFloat(f)
			return nil
		}
	case target.Type() == jsonNumber:
		target.SetString(text)
		return nil
	}
	return d.Mismatch(stdjson.Number(text), target)
}

// Float returns a number of JSON as JavaScript reads it: a number that is too large is infinite.
func Float(text string) float64 {
	f, _ := strconv.ParseFloat(text, 64)
	return f
}

func (d *Decoder) list(items []any, target reflect.Value) error {
	switch target.Kind() {
	case reflect.Slice:
		target.Set(reflect.MakeSlice(target.Type(), len(items), len(items)))
	case reflect.Array:
		target.SetZero()
	default:
		return d.Mismatch(items, target)
	}
	for i := range min(len(items), target.Len()) {
		if err := d.Decode(items[i], target.Index(i)); err != nil {
			return At(err, strconv.Itoa(i))
		}
	}
	return nil
}

func (d *Decoder) object(o *Object, target reflect.Value) error {
	switch target.Kind() {
	case reflect.Struct:
		return d.structure(o, target)
	case reflect.Map:
	default:
		return d.Mismatch(o, target)
	}
	target.Set(reflect.MakeMapWithSize(target.Type(), len(o.Members)))
	for _, m := range o.Members {
		key := reflect.New(target.Type().Key()).Elem()
		if err := d.name(m.Name, key); err != nil {
			return At(err, m.Name)
		}
		if err := d.SetIndex(target, key, m.Value); err != nil {
			return At(err, m.Name)
		}
	}
	return nil
}

// name sets the key of a Go map to the name of a member.
func (d *Decoder) name(name string, key reflect.Value) error {
	switch {
	case key.Kind() == reflect.String && !key.Addr().Type().Implements(textUnmarshaler):
		key.SetString(name)
		return nil
	case key.CanInt(), key.CanUint():
		if !key.Addr().Type().Implements(textUnmarshaler) {
			return d.number(name, key)
		}
	}
	return d.Decode(name, key)
}

// SetIndex decodes v into the element of a Go map with a key.
func (d *Decoder) SetIndex(target, key reflect.Value, v any) error {
	if !key.Comparable() {
		return d.Mismatch(v, target)
	}
	element := reflect.New(target.Type().Elem()).Elem()
	if err := d.Decode(v, element); err != nil {
		return err
	}
	target.SetMapIndex(key, element)
	return nil
}

func (d *Decoder) structure(o *Object, target reflect.Value) error {
	known := d.Types.fields(target.Type())
	for _, m := range o.Members {
		f := known.find(m.Name)
		if f == nil {
			continue
		}
		v := m.Value
		if text, ok := v.(string); ok && f.asString {
			if rawjson.Check([]byte(text), 0) != nil {
				return At(d.Mismatch(v, target), m.Name)
			}
			v = Parse([]byte(text))
		}
		if err := d.Decode(v, f.in(target, true)); err != nil {
			return At(err, m.Name)
		}
	}
	return nil
}

// SetBytes sets a slice or an array of bytes, and reports whether target is one.
func SetBytes(data []byte, target reflect.Value) bool {
	switch kind := target.Kind(); {
	case kind == reflect.Slice && target.Type().Elem().Kind() == reflect.Uint8:
		target.SetBytes(data)
	case kind == reflect.Array && target.Type().Elem().Kind() == reflect.Uint8 && target.Len() == len(data):
		reflect.Copy(target, reflect.ValueOf(data))
	default:
		return false
	}
	return true
}

// Native returns v as its Go type in an any: a number as a float64, an object as a map[string]any.
func (d *Decoder) Native(v any) any {
	switch v := v.(type) {
	case nil, bool, string:
		return v
	case stdjson.Number:
		return Float(string(v))
	case []any:
		items := make([]any, len(v))
		for i := range v {
			items[i] = d.Native(v[i])
		}
		return items
	case *Object:
		m := make(map[string]any, len(v.Members))
		for _, member := range v.Members {
			m[member.Name] = d.Native(member.Value)
		}
		return m
	}
	return d.Rules.Native(d, v)
}

// Mismatch returns the error for a value that does not fit.
func (d *Decoder) Mismatch(v any, target reflect.Value) error {
	mismatch := &json.UnmarshalTypeError{Type: target.Type()}
	switch v := v.(type) {
	case nil:
		mismatch.Value = "null"
	case bool:
		mismatch.Value = "bool"
	case string:
		mismatch.Value = "string"
	case stdjson.Number:
		mismatch.Value = "number"
		if len(v) <= 30 { // enough for every usual number
			mismatch.Value += " " + string(v)
		}
	case []any:
		mismatch.Value = "array"
	case *Object:
		mismatch.Value = "object"
	default:
		mismatch.Value = d.Rules.Name(v)
	}
	return mismatch
}

// maxName bounds the names of a path, which the caller may choose.
const maxName = 64

// At adds a name in front of the path of a mismatch.
func At(err error, name string) error {
	if len(name) > maxName {
		name = "…"
	}
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		if mismatch.Field != "" {
			name += "." + mismatch.Field
		}
		mismatch.Field = name
	}
	return err
}
