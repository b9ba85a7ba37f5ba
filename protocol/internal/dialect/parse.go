package dialect

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

// Object is a JSON object in the order of its document.
type Object struct {
	Members []Member
}

// Member is one name and its value.
type Member struct {
	Name  string
	Value any
}

// Get returns the value of a member.
func (o *Object) Get(name string) (value any, ok bool) {
	for _, m := range o.Members {
		if m.Name == name {
			return m.Value, true
		}
	}
	return nil, false
}

// Check returns the error of a document that is not JSON or is nested too deep. Found reports
// whether special returned true for the name of any member, or a name has an escape. Special gets
// names in quotes.
func Check(data []byte, special func(quoted []byte) bool) (found bool, err error) {
	accept := special
	if bytes.IndexByte(data, '\\') >= 0 { // one search costs less than one for each name
		accept = func(quoted []byte) bool { return special(quoted) || bytes.IndexByte(quoted, '\\') >= 0 }
	}
	if found, err = rawjson.AnyName(data, protocol.MaxDepth, accept); err != nil {
		return false, Invalid(err)
	}
	return found, nil
}

// Invalid returns the error for a document that breaks the rules of its dialect.
func Invalid(err error) error {
	return &protocol.Error{Code: protocol.CodeInvalidJSON, Err: err}
}

// Parse returns the value of a document that has passed Check: nil, bool,
// json.Number, string, []any or *Object. Of members of one name the last counts.
func Parse(data []byte) any {
	p := parser{data: data}
	return p.value()
}

// parser parses a valid document, so that it need not check it again.
type parser struct {
	data []byte
	i    int
}

func (p *parser) space() {
	for p.i < len(p.data) && p.data[p.i] <= ' ' {
		p.i++
	}
}

// next returns the next byte that is not white space, and stays there.
func (p *parser) next() byte {
	p.space()
	return p.data[p.i]
}

func (p *parser) value() any {
	switch p.next() {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		return p.str()
	case 't':
		p.i += len("true")
		return true
	case 'f':
		p.i += len("false")
		return false
	case 'n':
		p.i += len("null")
		return nil
	}
	start := p.i
	for p.i < len(p.data) && bytes.IndexByte([]byte("+-.0123456789Ee"), p.data[p.i]) >= 0 {
		p.i++
	}
	return json.Number(p.data[start:p.i])
}

func (p *parser) array() []any {
	p.i++
	items := []any{}
	for p.next() != ']' {
		items = append(items, p.value())
		if p.next() == ',' {
			p.i++
		}
	}
	p.i++
	return items
}

// manyMembers is the number of members from which on a map finds a name faster than a loop.
const manyMembers = 16

func (p *parser) object() *Object {
	p.i++
	o := new(Object)
	var index map[string]int
	for p.next() != '}' {
		name := p.str()
		p.next() // the colon
		p.i++
		if value := p.value(); !o.replace(name, value, index) {
			if index == nil && len(o.Members) == manyMembers {
				index = make(map[string]int)
				for i, m := range o.Members {
					index[m.Name] = i
				}
			}
			if index != nil {
				index[name] = len(o.Members)
			}
			o.Members = append(o.Members, Member{name, value})
		}
		if p.next() == ',' {
			p.i++
		}
	}
	p.i++
	return o
}

// replace gives an existing member its new value.
func (o *Object) replace(name string, value any, index map[string]int) bool {
	if index != nil {
		i, ok := index[name]
		if ok {
			o.Members[i].Value = value
		}
		return ok
	}
	for i := range o.Members {
		if o.Members[i].Name == name {
			o.Members[i].Value = value
			return true
		}
	}
	return false
}

func (p *parser) str() string {
	p.space()
	start, plain := p.i, true
	for p.i++; p.data[p.i] != '"'; p.i++ {
		if p.data[p.i] == '\\' {
			plain = false
			p.i++
		}
	}
	p.i++
	quoted := p.data[start:p.i]
	if inner := quoted[1 : len(quoted)-1]; plain && utf8.Valid(inner) {
		return string(inner)
	}
	var text string
	_ = json.Unmarshal(quoted, &text) // it was checked and cannot fail
	return text
}
