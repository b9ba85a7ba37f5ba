// Package rawjson checks that bytes are one JSON document and finds the members of its root
// object, in a single pass and without decoding a value.
//
// It protects the decoders that trust their input: the HTTP side checks every request body with
// it, and the ipc pool every line of a worker. It uses no unsafe code and allocates nothing,
// except for escaped member names. The caller's depth limit bounds its recursion.
package rawjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

// ErrDepth means that a document is nested deeper than the caller allows.
var ErrDepth = errors.New("rawjson: document nested too deep")

// SyntaxError means that a document is not JSON.
type SyntaxError struct {
	// Offset is the index of the first wrong byte, or the length of the document if that is
	// incomplete.
	Offset int
}

func (e *SyntaxError) Error() string {
	return "rawjson: invalid JSON at byte " + strconv.Itoa(e.Offset)
}

// Check reports whether data is exactly one JSON document (RFC 8259). White space around it is
// allowed, a byte order mark is not. Strings may have bytes that are not UTF-8, since JSON.parse
// sees them only after they were replaced.
//
// The root value is at depth 0, its members at depth 1. The error is ErrDepth for a value deeper
// than maxDepth, and otherwise a *SyntaxError.
func Check(data []byte, maxDepth int) error {
	return Members(data, maxDepth, nil)
}

// Members does what Check does. If the root is an object, it also calls member for each of its
// members in the order of the document, with duplicates. Name is decoded, value is a part of data
// without white space around it. Both are valid only as long as data is.
//
// Member is called before the whole document was checked: use the results only if Members returns
// nil.
func Members(data []byte, maxDepth int, member func(name, value []byte)) error {
	s := scanner{data: data, maxDepth: maxDepth}
	return s.document(member)
}

// AnyName does what Check does, and reports whether accept returns true for the name of any
// member. Accept gets names in quotes, with their escapes.
func AnyName(data []byte, maxDepth int, accept func(quoted []byte) bool) (found bool, err error) {
	s := scanner{data: data, maxDepth: maxDepth, accept: accept}
	err = s.document(nil)
	return s.found && err == nil, err
}

func (s *scanner) document(member func(name, value []byte)) error {
	data := s.data
	i := s.space(0)
	if member != nil && i < len(data) && data[i] == '{' {
		i = s.object(i, 0, member)
	} else {
		i = s.value(i, 0)
	}
	if i >= 0 {
		if i = s.space(i); i == len(data) {
			return nil
		}
		s.fail(i)
	}
	if s.tooDeep {
		return ErrDepth
	}
	return &SyntaxError{Offset: s.offset}
}

// scanner reads one document. Every method gets the index where a value or token begins, and
// returns the index after it, or -1 after it has noted the error.
type scanner struct {
	data     []byte
	maxDepth int
	accept   func(quoted []byte) bool // nil once it has returned true
	found    bool
	offset   int
	tooDeep  bool
}

func (s *scanner) fail(i int) int {
	s.offset = i
	return -1
}

func (s *scanner) space(i int) int {
	for i < len(s.data) && (s.data[i] == ' ' || s.data[i] == '\n' || s.data[i] == '\r' || s.data[i] == '\t') {
		i++
	}
	return i
}

func (s *scanner) value(i, depth int) int {
	if depth > s.maxDepth {
		s.tooDeep = true
		return -1
	}
	if i >= len(s.data) {
		return s.fail(i)
	}
	switch c := s.data[i]; {
	case c == '"':
		return s.str(i)
	case c == '{':
		return s.object(i, depth, nil)
	case c == '[':
		return s.array(i, depth)
	case c == '-' || '0' <= c && c <= '9':
		return s.number(i)
	case c == 't':
		return s.literal(i, "true")
	case c == 'f':
		return s.literal(i, "false")
	case c == 'n':
		return s.literal(i, "null")
	}
	return s.fail(i)
}

func (s *scanner) literal(i int, word string) int {
	if bytes.HasPrefix(s.data[i:], []byte(word)) {
		return i + len(word)
	}
	return s.fail(i)
}

func (s *scanner) object(i, depth int, member func(name, value []byte)) int {
	i = s.space(i + 1)
	if i < len(s.data) && s.data[i] == '}' {
		return i + 1
	}
	for {
		name := i
		if i = s.str(i); i < 0 {
			return -1
		}
		nameEnd := i
		if s.accept != nil && s.accept(s.data[name:nameEnd]) {
			s.accept, s.found = nil, true
		}
		if i = s.space(i); i >= len(s.data) || s.data[i] != ':' {
			return s.fail(i)
		}
		value := s.space(i + 1)
		if i = s.value(value, depth+1); i < 0 {
			return -1
		}
		if member != nil {
			member(unquote(s.data[name:nameEnd]), s.data[value:i:i])
		}
		i = s.space(i)
		if i >= len(s.data) || s.data[i] != ',' && s.data[i] != '}' {
			return s.fail(i)
		}
		if s.data[i] == '}' {
			return i + 1
		}
		i = s.space(i + 1)
	}
}

func (s *scanner) array(i, depth int) int {
	i = s.space(i + 1)
	if i < len(s.data) && s.data[i] == ']' {
		return i + 1
	}
	for {
		if i = s.value(i, depth+1); i < 0 {
			return -1
		}
		i = s.space(i)
		if i >= len(s.data) || s.data[i] != ',' && s.data[i] != ']' {
			return s.fail(i)
		}
		if s.data[i] == ']' {
			return i + 1
		}
		i = s.space(i + 1)
	}
}

func (s *scanner) str(i int) int {
	if i >= len(s.data) || s.data[i] != '"' {
		return s.fail(i)
	}
	for i++; ; i++ {
		if i = s.plain(i); i >= len(s.data) {
			return s.fail(i)
		}
		switch {
		case s.data[i] == '"':
			return i + 1
		case s.data[i] < ' ':
			return s.fail(i)
		}
		if i = s.escape(i); i < 0 {
			return -1
		}
	}
}

// escape gets the index of a backslash and returns that of the escape's last byte.
func (s *scanner) escape(i int) int {
	if i++; i >= len(s.data) {
		return s.fail(i)
	}
	switch s.data[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i
	case 'u':
		for n := 0; n < 4; n++ {
			if i++; i >= len(s.data) || !isHex(s.data[i]) {
				return s.fail(i)
			}
		}
		return i
	}
	return s.fail(i)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func (s *scanner) number(i int) int {
	if s.data[i] == '-' {
		i++
	}
	if i < len(s.data) && s.data[i] == '0' {
		i++
	} else if i = s.digits(i); i < 0 {
		return -1
	}
	if i < len(s.data) && s.data[i] == '.' {
		if i = s.digits(i + 1); i < 0 {
			return -1
		}
	}
	if i < len(s.data) && s.data[i]|0x20 == 'e' {
		if i++; i < len(s.data) && (s.data[i] == '+' || s.data[i] == '-') {
			i++
		}
		return s.digits(i)
	}
	return i
}

func (s *scanner) digits(i int) int {
	start := i
	for i < len(s.data) && '0' <= s.data[i] && s.data[i] <= '9' {
		i++
	}
	if i == start {
		return s.fail(i)
	}
	return i
}

// unquote decodes a member name, which the scanner has found to be a valid string.
func unquote(quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var name string
	if json.Unmarshal(quoted, &name) != nil {
		return inner
	}
	return []byte(name)
}
