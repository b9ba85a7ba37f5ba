package schema

import (
	"slices"
	"strings"
)

// verdicts are of a schema and a value: what ajv ('1': it takes the value), the library
// that has emitted the schema, and this package (no issues) say.
type verdicts struct {
	*emitted
	text   string
	issues string
	ajv    byte
	own    byte
}

func (p verdicts) takes() bool { return p.issues == "" }

func (p verdicts) asAjv() bool { return p.takes() == (p.ajv == '1') }

func (p verdicts) agrees() bool { return p.asAjv() && p.takes() == (p.own == '1') }

// leaf is the name of what the schema is about.
func (p verdicts) leaf() string {
	parts := strings.Split(p.Name, " of ")
	return parts[len(parts)-1]
}

// isLeaf reports whether the schema is about one of some leaves of a library.
func (p verdicts) isLeaf(library string, leaves ...string) bool {
	return p.Library == library && slices.Contains(leaves, p.leaf())
}

func (p verdicts) says(reason string) bool { return strings.Contains(p.issues, reason) }

// beyond reports whether the value has a character that is two code units.
func (p verdicts) beyond() bool {
	return strings.ContainsFunc(p.text, func(c rune) bool { return c > 0xffff })
}

// cause returns why not all say the same, "" if nobody knows.
func (p verdicts) cause() string {
	for _, c := range causes {
		if c.is(p) {
			return c.reason
		}
	}
	return ""
}

// causes are why this package, ajv and the libraries do not all say the same. Those that
// begin with "stricter" are refused here although both others take the value.
var causes = []struct {
	reason string
	is     func(p verdicts) bool
}{
	{"stricter: a number beyond float64 would arrive as Infinity", func(p verdicts) bool { return p.says("is a number out of range") }},
	{"stricter: of members that stand twice others read the first", func(p verdicts) bool { return p.says("stands twice") }},
	{"stricter: a member named __proto__ becomes the prototype where it is assigned", func(p verdicts) bool {
		return p.says("/__proto__: is a name that cannot be checked")
	}},
	{"stricter: no Go string has half of a surrogate pair", func(p verdicts) bool { return p.says("has half of a surrogate pair") }},
	{"multiples are those of decimals here, of float64 in ajv, with a tolerance in zod and others", func(p verdicts) bool {
		return strings.Contains(string(p.Schema), "multipleOf")
	}},
	{"ajv was run without formats, and the library refuses the value as well", func(p verdicts) bool {
		return p.ajv == '1' && p.own == '0' && p.says("must be in the format")
	}},
	{"a file is what stands for it in an input, and nothing else", func(p verdicts) bool { return p.isLeaf("zod", "file") }},
	{"lengths are code points in JSON Schema, code units in the library", func(p verdicts) bool {
		return p.asAjv() && p.Library != "zod" && p.beyond() && strings.Contains(string(p.Schema), "Length")
	}},
	{"the library matches without flag u, JSON Schema with it", func(p verdicts) bool {
		return p.asAjv() && strings.Contains(string(p.Schema), "pattern") && (p.beyond() || strings.Contains(string(p.Schema), `\\p{`))
	}},
	{"an array is an object to the library", func(p verdicts) bool {
		return p.asAjv() && p.own == '1' && p.says("must be object, is array")
	}},
	{"an item of a tuple that may be anything may be missing in valibot", func(p verdicts) bool {
		return p.asAjv() && p.Library == "valibot" && p.leaf() == "any" && p.says("must have at least 1 items")
	}},
	{"valibot does not look at members with names that every object has", func(p verdicts) bool {
		return p.asAjv() && p.Library == "valibot" && strings.Contains(p.text, "constructor")
	}},
	{"the library asks for more than the format that it emits means everywhere", func(p verdicts) bool {
		return p.asAjv() && p.own == '0' && (p.isLeaf("valibot", "email", "rfcEmail", "isoDateTime", "isoTime", "isoTimestamp") || p.isLeaf("zod", "httpUrl"))
	}},
	{"zod takes what its own pattern does not", func(p verdicts) bool { return p.asAjv() && p.isLeaf("zod", "ipv6") && p.own == '1' }},
	{"the library asks for more than it emits", func(p verdicts) bool {
		return p.asAjv() && p.own == '0' && (p.isLeaf("zod", "jwt") || p.isLeaf("valibot", "base64") ||
			p.isLeaf("effect", "DomainName", "SemVer", "between", "uppercased", "capitalized", "minLength"))
	}},
	{"effect emits patterns with flag u only", func(p verdicts) bool {
		return p.asAjv() && p.own == '0' && p.isLeaf("effect", "pattern", "lookbehind", "backreference")
	}},
}
