package dialect

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Normal returns a valid document as JSON.stringify writes what JSON.parse has read of
// it. It reports false where it cannot know: for numbers that are not finite to
// JavaScript, lone surrogates and documents nested too deep.
func Normal(data []byte) (text []byte, ok bool) {
	if hasSurrogates(data) {
		return nil, false
	}
	e := Encoder{buf: make([]byte, 0, len(data))}
	if !e.normal(Parse(data)) {
		return nil, false
	}
	return e.buf, true
}

// hasSurrogates reports whether a character is written as half of a pair, or as both.
func hasSurrogates(data []byte) bool {
	return bytes.Contains(data, []byte(`\ud`)) || bytes.Contains(data, []byte(`\uD`))
}

func (e *Encoder) normal(v any) bool {
	if e.depth > protocol.MaxDepth+1 { // the envelope is one level more
		return false
	}
	e.depth++
	defer func() { e.depth-- }()
	switch v := v.(type) {
	case nil:
		e.Raw("null")
	case bool:
		e.buf = strconv.AppendBool(e.buf, v)
	case json.Number:
		number, finite := formatFloat(Float(string(v)), 64)
		e.Raw(number)
		return finite
	case string:
		e.String(v)
	case []any:
		e.Raw("[")
		for i, item := range v {
			if i > 0 {
				e.Raw(",")
			}
			if !e.normal(item) {
				return false
			}
		}
		e.Raw("]")
	case *Object:
		e.Raw("{")
		for i, m := range ordered(v.Members) {
			if i > 0 {
				e.Raw(",")
			}
			e.String(m.Name)
			e.Raw(":")
			if !e.normal(m.Value) {
				return false
			}
		}
		e.Raw("}")
	}
	return true
}

// ordered returns the members in the order of JavaScript's objects: those whose names are
// indices come first, by size.
func ordered(members []Member) []Member {
	isIndex := func(m Member) bool { return index(m.Name) >= 0 }
	if !slices.ContainsFunc(members, isIndex) {
		return members
	}
	sorted := slices.Clone(members)
	slices.SortStableFunc(sorted, func(a, b Member) int {
		i, j := index(a.Name), index(b.Name)
		if i >= 0 && j >= 0 {
			return cmp.Compare(i, j)
		}
		return cmp.Compare(boolInt(i < 0), boolInt(j < 0))
	})
	return sorted
}

// index returns the index that a name is, -1 if it is none.
func index(name string) int64 {
	const beyond = 1<<32 - 1 // the largest number that is none
	if name == "" || len(name) > 10 || strings.Trim(name, "0123456789") != "" || name[0] == '0' && len(name) > 1 {
		return -1
	}
	n, err := strconv.ParseInt(name, 10, 64)
	if err != nil || n >= beyond {
		return -1
	}
	return n
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Special reports whether a valid document has a member whose name means something to
// Runner's serializer, or may: what it writes is not known then.
func Special(data []byte) bool {
	found, err := Check(data, func(quoted []byte) bool {
		switch name := string(quoted); name {
		case `"__type"`, `"__graph"`, `"__proto__"`, `"constructor"`, `"prototype"`:
			return true
		default:
			return strings.HasPrefix(name, `"$runner.escape::`)
		}
	})
	return found || err != nil
}
