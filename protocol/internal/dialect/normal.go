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

// Normal returns a valid document in the form that JSON.stringify writes after JSON.parse. It
// reports false if it cannot know the form: for numbers that are infinite in JavaScript, lone
// surrogates and documents nested too deep.
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

// hasSurrogates reports whether an escape is a surrogate.
func hasSurrogates(data []byte) bool {
	return bytes.Contains(data, []byte(`\ud`)) || bytes.Contains(data, []byte(`\uD`))
}

func (e *Encoder) normal(v any) bool {
	if e.depth > protocol.MaxDepth+1 { // the envelope adds a level
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

// ordered returns the members in the order of JavaScript's objects: indices come first, by size.
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

// index returns the index that a name represents, -1 if none.
func index(name string) int64 {
	const beyond = 1<<32 - 1 // this and larger numbers are no indices
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

// Special reports whether a valid document has a member whose name may have a meaning for Runner's
// serializer: its form on the wire is not known then.
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
