package ecma

import (
	"slices"
	"strings"
	"unicode/utf16"
)

// Flags reports whether all flags are flags of a RegExp, and each is there once.
func Flags(flags string) bool {
	for i, flag := range flags {
		if !strings.ContainsRune("dgimsuvy", flag) || strings.ContainsRune(flags[:i], flag) {
			return false
		}
	}
	return !strings.Contains(flags, "u") || !strings.Contains(flags, "v")
}

// RegExp reports whether a pattern is valid in JavaScript, and at most MaxPattern code units long.
// It refuses parts of the language that some engines lack: modifiers, groups with the same name,
// names beyond ASCII, and with flag v classes that are invalid without it.
func RegExp(pattern, flags string) bool {
	units := utf16.Encode([]rune(pattern))
	if len(units) > MaxPattern || !Flags(flags) {
		return false
	}
	p := syntax{unicode: strings.ContainsAny(flags, "uv"), sets: strings.Contains(flags, "v")}
	if p.unicode {
		p.src = []rune(pattern)
	} else {
		for _, unit := range units { // a character beyond 16 bits counts as two
			p.src = append(p.src, rune(unit))
		}
	}
	p.named = p.hasNames()
	return p.alternatives() && p.i == len(p.src) && p.references()
}

// syntax parses a pattern by the grammar. Each method reads the part that it is named after, and
// returns false if that is missing or malformed.
type syntax struct {
	src           []rune
	i             int
	unicode, sets bool // flags u or v; flag v
	named         bool // the pattern names a group, so that \k refers to one

	groups    int
	names     []string
	back      int      // the highest group with a reference
	backNames []string // the names with a reference
}

const syntaxCharacters = `^$\.*+?()[]{}|`

func (p *syntax) hasNames() bool {
	for i := 0; i < len(p.src); i++ {
		switch p.src[i] {
		case '\\':
			i++
		case '[':
			for i++; i < len(p.src) && p.src[i] != ']'; i++ {
				if p.src[i] == '\\' {
					i++
				}
			}
		case '(':
			if p.at(i, "(?<") && !p.at(i, "(?<=") && !p.at(i, "(?<!") {
				return true
			}
		}
	}
	return false
}

func (p *syntax) references() bool {
	for _, name := range p.backNames {
		if !slices.Contains(p.names, name) {
			return false
		}
	}
	return !p.unicode || p.back <= p.groups
}

func (p *syntax) more() bool { return p.i < len(p.src) }

func (p *syntax) peek(text string) bool { return p.at(p.i, text) }

// at reports whether a text in ASCII is at i.
func (p *syntax) at(i int, text string) bool {
	if len(p.src)-i < len(text) {
		return false
	}
	for n := range len(text) {
		if p.src[i+n] != rune(text[n]) {
			return false
		}
	}
	return true
}

func (p *syntax) take(text string) bool {
	if !p.peek(text) {
		return false
	}
	p.i += len(text)
	return true
}

func (p *syntax) alternatives() bool {
	for p.more() && !p.peek(")") {
		if !p.take("|") && !p.term() {
			return false
		}
	}
	return true
}

// term reads an atom or an assertion with its quantifier.
func (p *syntax) term() bool {
	repeatable := true
	switch c := p.src[p.i]; {
	case p.take("^"), p.take("$"), p.take(`\b`), p.take(`\B`):
		repeatable = false
	case p.take("(?<="), p.take("(?<!"):
		repeatable = false
		if !p.rest() {
			return false
		}
	case p.take("(?="), p.take("(?!"):
		repeatable = !p.unicode
		if !p.rest() {
			return false
		}
	case p.take("(?:"):
		if !p.rest() {
			return false
		}
	case p.take("(?<"):
		name, ok := p.groupName()
		if !ok || slices.Contains(p.names, name) {
			return false
		}
		p.names = append(p.names, name)
		p.groups++
		if !p.rest() {
			return false
		}
	case p.peek("(?"):
		return false
	case p.take("("):
		p.groups++
		if !p.rest() {
			return false
		}
	case p.take("["):
		if !p.class() {
			return false
		}
	case p.take(`\`):
		if !p.atomEscape() {
			return false
		}
	case c == '*' || c == '+' || c == '?':
		return false
	case c == '{' || c == '}' || c == ']':
		if p.unicode {
			return false
		}
		if quantified, _ := p.quantifier(); quantified {
			return false
		}
		p.i++
	default:
		p.i++
	}
	quantified, ok := p.quantifier()
	return ok && (repeatable || !quantified)
}

// rest reads a group after its beginning.
func (p *syntax) rest() bool { return p.alternatives() && p.take(")") }

// quantifier reads an optional quantifier. It is not ok if its numbers are in the wrong order, or
// if flag u makes an unmatched brace an error.
func (p *syntax) quantifier() (found, ok bool) {
	switch {
	case p.take("*"), p.take("+"), p.take("?"):
	case p.peek("{"):
		start := p.i
		p.i++
		low, digits := p.digits()
		high := low
		if digits && p.take(",") {
			var bounded bool
			if high, bounded = p.digits(); !bounded {
				high = low
			}
		}
		if !digits || !p.take("}") {
			p.i = start
			return false, !p.unicode
		}
		if high < low {
			return true, false
		}
	default:
		return false, true
	}
	p.take("?")
	return true, true
}

// digits returns a number. A very large number stands for infinity.
func (p *syntax) digits() (n int, found bool) {
	for ; p.more() && isDigit(p.src[p.i]); p.i++ {
		n, found = min(n*10+int(p.src[p.i]-'0'), 1<<31-1), true
	}
	return n, found
}

func isDigit(c rune) bool  { return '0' <= c && c <= '9' }
func isLetter(c rune) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// groupName reads a name and the bracket after it.
func (p *syntax) groupName() (string, bool) {
	start := p.i
	for ; p.more() && !p.peek(">"); p.i++ {
		c := p.src[p.i]
		if !isLetter(c) && c != '_' && c != '$' && (!isDigit(c) || p.i == start) {
			return "", false
		}
	}
	return string(p.src[start:p.i]), p.i > start && p.take(">")
}
