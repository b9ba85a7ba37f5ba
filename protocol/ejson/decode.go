package ejson

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/bluelibs/go-tunnel/protocol/internal/dialect"
	"github.com/bluelibs/go-tunnel/protocol/internal/ecma"
)

var errValue = errors.New("broken value")

// marker returns the decoder of an object with these names, nil for a plain object.
func (c *Codec) marker(o *dialect.Object) func(o *dialect.Object) (any, error) {
	switch len(o.Members) {
	case 1:
		switch o.Members[0].Name {
		case "$objectId":
			return objectID
		case "$date":
			return date
		case "$InfNaN":
			return nonFinite
		case "$binary":
			return binary
		case "$escape":
			return c.unescape
		}
	case 2:
		_, hasPattern := o.Get("$regexp")
		_, hasFlags := o.Get("$flags")
		_, hasType := o.Get("$type")
		_, hasValue := o.Get("$value")
		switch {
		case hasPattern && hasFlags:
			return regExp
		case hasType && hasValue:
			return c.custom
		}
	}
	return nil
}

// decode returns the value that v represents. It also decodes the values inside unless v is a
// marker.
func (c *Codec) decode(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		items := make([]any, len(v))
		for i := range v {
			item, err := c.decode(v[i])
			if err != nil {
				return nil, err
			}
			items[i] = item
		}
		return items, nil
	case *dialect.Object:
		if decode := c.marker(v); decode != nil {
			return decode(v)
		}
		return c.members(v)
	}
	return v, nil
}

func (c *Codec) members(o *dialect.Object) (any, error) {
	decoded := &dialect.Object{Members: make([]dialect.Member, len(o.Members))}
	for i, m := range o.Members {
		v, err := c.decode(m.Value)
		if err != nil {
			return nil, err
		}
		decoded.Members[i] = dialect.Member{Name: m.Name, Value: v}
	}
	return decoded, nil
}

func (c *Codec) unescape(o *dialect.Object) (any, error) {
	inside, ok := o.Members[0].Value.(*dialect.Object)
	if !ok {
		return nil, errValue
	}
	return c.members(inside)
}

func objectID(o *dialect.Object) (any, error) {
	text, _ := o.Members[0].Value.(string)
	var id ObjectID
	if len(text) != hex.EncodedLen(len(id)) {
		return nil, errValue
	}
	if _, err := hex.Decode(id[:], []byte(text)); err != nil {
		return nil, errValue
	}
	return id, nil
}

func date(o *dialect.Object) (any, error) {
	var t time.Time
	ok := false
	switch v := o.Members[0].Value.(type) {
	case nil:
		t, ok = ecma.DateFromMillis(0)
	case stdjson.Number:
		t, ok = ecma.DateFromMillis(dialect.Float(string(v)))
	case string:
		t, ok = ecma.ParseDate(v)
	}
	if !ok {
		return nil, errValue
	}
	return t, nil
}

func nonFinite(o *dialect.Object) (any, error) {
	n, ok := o.Members[0].Value.(stdjson.Number)
	if !ok {
		return nil, errValue
	}
	switch sign := dialect.Float(string(n)); {
	case sign > 0:
		return math.Inf(1), nil
	case sign < 0:
		return math.Inf(-1), nil
	}
	return math.NaN(), nil
}

func regExp(o *dialect.Object) (any, error) {
	pattern, _ := o.Get("$regexp")
	flags, _ := o.Get("$flags")
	r := RegExp{}
	var ok1, ok2 bool
	r.Pattern, ok1 = pattern.(string)
	text, ok2 := flags.(string)
	for _, flag := range "gimuy" { // JavaScript ignores others
		if strings.ContainsRune(text, flag) {
			r.Flags += string(flag)
		}
	}
	if !ok1 || !ok2 || len(text) > 50 || !ecma.RegExp(r.Pattern, r.Flags) {
		return nil, errValue
	}
	return r, nil
}

// empty is the text that JavaScript makes of no bytes.
var empty = []byte{0}

func binary(o *dialect.Object) (any, error) {
	text, ok := o.Members[0].Value.(string)
	if !ok {
		return nil, errValue
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errValue
	}
	if bytes.Equal(data, empty) {
		return []byte{}, nil
	}
	if elements, ok := decimals(data); ok {
		return elements, nil
	}
	return data, nil
}

// decimals parses numbers up to 255 with commas between them.
func decimals(text []byte) ([]byte, bool) {
	data := make([]byte, 0, len(text)/2+1)
	for part := range strings.SplitSeq(string(text), ",") {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil || len(part) > 1 && part[0] == '0' {
			return nil, false
		}
		data = append(data, byte(n))
	}
	return data, true
}

func (c *Codec) custom(o *dialect.Object) (any, error) {
	name, _ := o.Get("$type")
	value, _ := o.Get("$value")
	text, _ := name.(string)
	typ := c.byName[text]
	if typ == nil {
		return nil, fmt.Errorf("type %q is unknown", text)
	}
	v := reflect.New(typ).Elem()
	d := dialect.Decoder{Rules: &rules{codec: c, plain: true}, Types: &c.types}
	if err := d.Decode(value, v); err != nil {
		return nil, err
	}
	return v.Interface(), nil
}
