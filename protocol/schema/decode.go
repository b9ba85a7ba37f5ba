package schema

import (
	"strconv"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

// These bound a document, so that its check is cheap.
const (
	maxPlaces   = 1 << 20 // values; each also counts once for every container around it
	maxNumber   = 400     // characters of a number
	maxExponent = 400     // of a number, either way: a float64 has 308 and 324
)

// reading is how the executor of a call reads a document.
type reading struct {
	exact bool // numbers are not rounded: see Options.ExactNumbers
	also  bool // numbers are also checked as rounded
	proto bool // a schema names __proto__, so that it may be a member
}

// decode decodes a document into the types of the validator: nil, bool, string, json.Number, []any
// and map[string]any. It refuses documents that an executor may read differently: duplicate
// members, halves of surrogate pairs, and typed values of Runner's serializer with members that
// the serializer ignores. The error is an Issue.
func decode(document []byte, how reading) (decoded, error) {
	if err := rawjson.Check(document, protocol.MaxDepth); err != nil {
		return decoded{}, Issue{Reason: "is not valid JSON"}
	}
	d := decoder{data: document, reading: how}
	value, err := d.value()
	if err != nil || !d.changed || !how.also {
		return decoded{value: value}, err
	}
	how.exact = false
	d = decoder{data: document, reading: how}
	rounded, err := d.value()
	// No executor reads a number beyond the range of a float64.
	return decoded{value, rounded, err == nil}, nil
}

// decoded is a document with exact numbers, and with rounded numbers for executors that round.
type decoded struct {
	value, rounded any
	both           bool
}

// decoder decodes a valid document.
type decoder struct {
	reading
	data    []byte
	at      int
	places  int
	path    []step // the path to the current value
	changed bool   // rounding has changed a number
}

// step is the name or, if that is negative, the index of a value in its container.
type step struct {
	name  string
	index int
}

func (d *decoder) refuse(reason string) error {
	var pointer strings.Builder
	for _, s := range d.path {
		if s.index >= 0 {
			s.name = strconv.Itoa(s.index)
		}
		appendToken(&pointer, s.name)
	}
	return newIssue(pointer.String(), reason)
}

func (d *decoder) space() {
	for d.at < len(d.data) && (d.data[d.at] == ' ' || d.data[d.at] == '\n' || d.data[d.at] == '\r' || d.data[d.at] == '\t') {
		d.at++
	}
}

func (d *decoder) value() (any, error) {
	if d.places += 1 + len(d.path); d.places > maxPlaces {
		return nil, newIssue("", "has too many values")
	}
	d.space()
	switch d.data[d.at] {
	case '{':
		return d.object()
	case '[':
		return d.array()
	case '"':
		text, ok := d.str()
		if !ok {
			return nil, d.refuse(halfPair)
		}
		return text, nil
	case 't':
		d.at += len("true")
		return true, nil
	case 'f':
		d.at += len("false")
		return false, nil
	case 'n':
		d.at += len("null")
		return nil, nil
	}
	return d.number()
}

// next steps over the separator or the bracket after an element. It reports whether
// another element follows.
func (d *decoder) next() bool {
	d.space()
	d.at++
	return d.data[d.at-1] == ','
}

// empty enters a container. If that has nothing in it, it also leaves it.
func (d *decoder) empty() bool {
	d.at++
	d.space()
	if c := d.data[d.at]; c != '}' && c != ']' {
		return false
	}
	d.at++
	return true
}

func (d *decoder) object() (any, error) {
	object := map[string]any{}
	if d.empty() {
		return object, nil
	}
	for more := true; more; more = d.next() {
		d.space()
		name, ok := d.str()
		d.path = append(d.path, step{name: name, index: -1})
		if !ok {
			return nil, d.refuse(halfPair)
		}
		if name == protoName && !d.proto {
			return nil, d.refuse("is a name that cannot be checked")
		}
		if _, twice := object[name]; twice {
			return nil, d.refuse("stands twice")
		}
		if strings.HasPrefix(name, escapePrefix) && !escaped(name) {
			return nil, d.refuse("is a name that cannot be checked")
		}
		d.space()
		d.at++ // the colon
		value, err := d.value()
		if err != nil {
			return nil, err
		}
		object[name] = value
		d.path = d.path[:len(d.path)-1]
	}
	if ambiguous(object, len(d.path) == 0) {
		return nil, d.refuse("is a typed value in a form that cannot be checked")
	}
	return object, nil
}

func (d *decoder) array() (any, error) {
	array := []any{}
	if d.empty() {
		return array, nil
	}
	for more := true; more; more = d.next() {
		d.path = append(d.path, step{index: len(array)})
		value, err := d.value()
		if err != nil {
			return nil, err
		}
		array = append(array, value)
		d.path = d.path[:len(d.path)-1]
	}
	return array, nil
}

// escapePrefix is the prefix that Runner's serializer adds to member names that would have a
// special meaning, and removes from all names.
const escapePrefix = "$runner.escape::"

// escaped reports whether the serializer would add the prefix to a name that has it.
func escaped(name string) bool {
	rest := name[len(escapePrefix):]
	return rest == "__type" || rest == "__graph" || strings.HasPrefix(rest, escapePrefix)
}

// ambiguous reports whether Runner's serializer reads an object as another value, so that the task
// does not get the members that satisfy a schema.
func ambiguous(object map[string]any, root bool) bool {
	_, typed := object["__type"].(string)
	_, valued := object["value"]
	return typed && valued && len(object) > 2 || root && object["__graph"] == true
}
