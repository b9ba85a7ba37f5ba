package ecma

import (
	"slices"
	"strings"
)

// MaxPattern is the largest length of a pattern, in UTF-16 code units.
const MaxPattern = 1024

// Safe reports whether a pattern passes the heuristic of Runner's serializer against patterns that
// take exponential time: a repeated group must neither repeat anything inside nor have two
// alternatives one of which begins with the other. Patterns that pass may still be slow.
func Safe(pattern string) bool {
	type group struct {
		start    int
		repeated bool // something inside is repeated
	}
	var open []group
	mark := func() {
		if len(open) > 0 {
			open[len(open)-1].repeated = true
		}
	}
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\':
			i++
		case c == '[':
			i = classEnd(pattern, i)
		case c == '(':
			open = append(open, group{start: i + 1})
		case c == ')' && len(open) > 0:
			last := open[len(open)-1]
			open = open[:len(open)-1]
			if repeats(pattern, i+1) && (last.repeated || ambiguous(pattern[last.start:i])) {
				return false
			}
			if last.repeated {
				mark()
			}
		case c == '?' && i > 0 && pattern[i-1] == '(':
		case repeats(pattern, i):
			mark()
		}
	}
	return true
}

// classEnd returns the index of the bracket that closes a class.
func classEnd(pattern string, i int) int {
	for i++; i < len(pattern) && pattern[i] != ']'; i++ {
		if pattern[i] == '\\' {
			i++
		}
	}
	return i
}

// repeats reports whether there is a quantifier at i.
func repeats(pattern string, i int) bool {
	if i >= len(pattern) {
		return false
	}
	switch pattern[i] {
	case '*', '+', '?':
		return true
	case '{':
		inside, _, closed := strings.Cut(pattern[i+1:], "}")
		digits := strings.Trim(inside, "0123456789")
		return closed && (digits == "" || digits == ",") && strings.ContainsAny(inside, "0123456789")
	}
	return false
}

// ambiguous reports whether one alternative of a group begins with another.
func ambiguous(body string) bool {
	branches := alternatives(withoutPrefix(body))
	slices.Sort(branches) // an alternative is then next to its beginning
	for i := 1; i < len(branches); i++ {
		if strings.HasPrefix(branches[i], branches[i-1]) {
			return true
		}
	}
	return false
}

// withoutPrefix removes the syntax for special groups from the beginning of a group.
func withoutPrefix(body string) string {
	for _, prefix := range []string{"?:", "?=", "?!", "?>", "?<=", "?<!"} {
		if rest, found := strings.CutPrefix(body, prefix); found {
			return rest
		}
	}
	if strings.HasPrefix(body, "?<") {
		if _, rest, found := strings.Cut(body, ">"); found {
			return rest
		}
	}
	return body
}

func alternatives(body string) []string {
	var branches []string
	start, depth := 0, 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '\\':
			i++
		case '[':
			i = classEnd(body, i)
		case '(':
			depth++
		case ')':
			depth = max(0, depth-1)
		case '|':
			if depth == 0 {
				branches = append(branches, body[start:i])
				start = i + 1
			}
		}
	}
	return append(branches, body[start:])
}
