package jsregexp

import (
	_ "embed"
	"strconv"
	"strings"
)

// properties has the sets that \p may name, of Unicode 17; testdata/properties.js has got them
// from a RegExp. A line has its kind (gc, a general category; b, a binary property; sc and scx, a
// script and its extensions), its names, and its spans: the distance from the end of the last span
// and, if the span is longer than one, its length, to base 36.
//
//go:embed properties.txt
var properties string

// property returns the set of the text between the braces of \p{…}.
func property(text string) (set, bool) {
	name, value, valued := strings.Cut(text, "=")
	switch {
	case !valued:
		if found, ok := lookUp("gc", name); ok {
			return found, true
		}
		return lookUp("b", name)
	case name == "General_Category" || name == "gc":
		return lookUp("gc", value)
	case name == "Script" || name == "sc":
		return lookUp("sc", value)
	case name == "Script_Extensions" || name == "scx":
		return lookUp("scx", value)
	}
	return nil, false
}

func lookUp(kind, name string) (set, bool) {
	if name == "" || strings.ContainsAny(name, ",: ") {
		return nil, false
	}
	for line := range strings.Lines(properties) {
		head, spans, _ := strings.Cut(line, ":")
		names, ok := strings.CutPrefix(head, kind+" ")
		if ok && strings.Contains(","+names+",", ","+name+",") {
			return decodeSpans(spans), true
		}
	}
	return nil, false
}

func decodeSpans(text string) set {
	found := set{}
	next := rune(0)
	for field := range strings.FieldsSeq(text) {
		skip, more, _ := strings.Cut(field, "-")
		one := span{lo: next + base36(skip)}
		one.hi = one.lo + base36(more)
		found = append(found, one)
		next = one.hi + 1
	}
	return found
}

func base36(text string) rune {
	n, _ := strconv.ParseInt(text, 36, 32) // an empty text is 0
	return rune(n)
}
