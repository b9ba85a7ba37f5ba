package serializer

import (
	"net/url"
	"reflect"
)

// Undefined is JavaScript's undefined. In a type other than any it becomes the zero value, in a
// pointer nil.
type Undefined struct{}

// Map is a JavaScript Map: pairs in order, each with another key.
type Map []Entry

// Entry is one pair of a Map.
type Entry struct{ Key, Value any }

// Get returns the value of the first key that is equal to key, which must be
// comparable. Numbers are float64.
func (m Map) Get(key any) (value any, ok bool) {
	for _, e := range m {
		if reflect.TypeOf(e.Key) == reflect.TypeOf(key) && e.Key == key {
			return e.Value, true
		}
	}
	return nil, false
}

// Set is a JavaScript Set: values in order, without duplicates.
type Set []any

// RegExp is a JavaScript regular expression. A decoded one was checked to be valid in JavaScript,
// and not to be of the kinds that usually take exponential time. Package regexp has another
// language.
type RegExp struct{ Pattern, Flags string }

// Symbol is a JavaScript symbol that several programs can know.
type Symbol struct {
	// Key is the argument of Symbol.for, or the name of a well-known symbol, such as
	// iterator.
	Key       string
	WellKnown bool
}

// Error is a JavaScript Error. It is also an error in Go, which wraps its cause if that is an
// error. A result may contain an Error as a value; to fail, a task returns a *protocol.Error.
type Error struct {
	// Name is the name of the class, such as TypeError. Empty means Error.
	Name    string
	Message string
	// Stack is not sent if empty.
	Stack string
	// Cause is not sent if nil. It is also nil if it was sent as null.
	Cause any
	// Fields are the error's own fields. Names of Error's members are not sent.
	Fields map[string]any
}

// Error returns the name and the message.
func (e *Error) Error() string { return e.name() + ": " + e.Message }

// Unwrap returns the cause if it is an error.
func (e *Error) Unwrap() error {
	cause, _ := e.Cause.(error)
	return cause
}

func (e *Error) name() string {
	if e.Name == "" {
		return "Error"
	}
	return e.Name
}

// URL is the href of a JavaScript URL. It also decodes into a url.URL, and a url.URL is
// encoded as one.
type URL string

// Parse returns the URL in the type of package net/url.
func (u URL) Parse() (*url.URL, error) { return url.Parse(string(u)) }

// URLSearchParams is the text of a JavaScript URLSearchParams, such as a=1&b=2. It also
// decodes into url.Values, and url.Values are encoded as one.
type URLSearchParams string

// Parse returns the parameters in the type of package net/url.
func (p URLSearchParams) Parse() (url.Values, error) { return url.ParseQuery(string(p)) }

// Binary is binary data of any type in JavaScript except Buffer, which is a []byte. It also
// decodes into a []byte or an array of bytes.
type Binary struct {
	// Kind is the name of the type: ArrayBuffer, DataView, Uint8Array, Float64Array and
	// so on.
	Kind string
	// Bytes are the bytes in memory, the elements in little-endian order.
	Bytes []byte
}

// elementSizes are the sizes of the elements of all kinds of binary data.
var elementSizes = map[string]int{
	"Buffer": 1, "ArrayBuffer": 1, "DataView": 1, "Int8Array": 1, "Uint8Array": 1, "Uint8ClampedArray": 1,
	"Int16Array": 2, "Uint16Array": 2, "Int32Array": 4, "Uint32Array": 4, "Float32Array": 4, "Float64Array": 8,
	"BigInt64Array": 8, "BigUint64Array": 8,
}
