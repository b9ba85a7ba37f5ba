package ecma

import (
	"strconv"
	"strings"
	"unicode"
)

// notOne is the value of an escape for more than one character.
const notOne = -1

// atomEscape reads the text after a backslash outside of classes.
func (p *syntax) atomEscape() bool {
	if p.more() && '1' <= p.src[p.i] && p.src[p.i] <= '9' {
		if n, _ := p.digits(); p.unicode {
			p.back = max(p.back, n)
		}
		return true // without flag u a reference to a missing group is a character
	}
	if (p.unicode || p.named) && p.take("k") {
		if !p.take("<") {
			return false
		}
		name, ok := p.groupName()
		p.backNames = append(p.backNames, name)
		return ok
	}
	_, ok := p.characterEscape(false)
	return ok
}

// characterEscape reads the text after a backslash unless it is a reference. It returns the
// character, or notOne.
func (p *syntax) characterEscape(inClass bool) (rune, bool) {
	if !p.more() {
		return 0, false
	}
	c := p.src[p.i]
	p.i++
	switch c {
	case 'd', 'D', 's', 'S', 'w', 'W':
		return notOne, true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'v':
		return '\v', true
	case 'f':
		return '\f', true
	case 'c':
		return p.control(inClass)
	case 'x':
		return p.hex(c, 2)
	case 'u':
		return p.unicodeEscape()
	case 'p', 'P':
		if p.unicode {
			return notOne, p.property()
		}
	case 'b':
		if inClass {
			return '\b', true
		}
	case '-':
		if inClass {
			return c, true
		}
	}
	if isDigit(c) {
		return p.octal(c)
	}
	if p.unicode {
		return c, strings.ContainsRune(syntaxCharacters+"/", c)
	}
	return c, c != 'k' || !p.named
}

// control reads the text after \c, which may be nothing without flag u.
func (p *syntax) control(inClass bool) (rune, bool) {
	if p.more() {
		c := p.src[p.i]
		if isLetter(c) || inClass && !p.unicode && (isDigit(c) || c == '_') {
			p.i++
			return c & 31, true
		}
	}
	p.i-- // the backslash is a character, and c follows
	return '\\', !p.unicode
}

func (p *syntax) hex(letter rune, digits int) (rune, bool) {
	if len(p.src)-p.i >= digits {
		if n, err := strconv.ParseUint(string(p.src[p.i:p.i+digits]), 16, 32); err == nil {
			p.i += digits
			return rune(n), true
		}
	}
	return letter, !p.unicode
}

func (p *syntax) unicodeEscape() (rune, bool) {
	if !p.unicode || !p.take("{") {
		high, ok := p.hex('u', 4)
		if ok && p.unicode && high >= 0xd800 && high < 0xdc00 && p.peek(`\u`) {
			start := p.i
			p.i += len(`\u`)
			if low, ok := p.hex('u', 4); ok && low >= 0xdc00 && low < 0xe000 {
				return (high-0xd800)<<10 + low - 0xdc00 + 0x10000, true
			}
			p.i = start
		}
		return high, ok
	}
	start := p.i
	for p.more() && !p.peek("}") {
		p.i++
	}
	n, err := strconv.ParseUint(string(p.src[start:p.i]), 16, 32)
	return rune(n), err == nil && n <= unicode.MaxRune && p.take("}")
}

// octal reads the number of a character, which may only be 0 with flag u.
func (p *syntax) octal(c rune) (rune, bool) {
	if p.unicode {
		return 0, c == '0' && (!p.more() || !isDigit(p.src[p.i]))
	}
	if c >= '8' {
		return c, true
	}
	n := c - '0'
	for range 2 {
		if !p.more() || p.src[p.i] < '0' || p.src[p.i] > '7' || n*8+p.src[p.i]-'0' > 0o377 {
			break
		}
		n = n*8 + p.src[p.i] - '0'
		p.i++
	}
	return n, true
}

// binaryProperties are properties other than categories; the list is not complete.
var binaryProperties = map[string]bool{
	"ASCII": true, "Any": true, "Assigned": true, "Alphabetic": true, "Alpha": true, "Lowercase": true, "Uppercase": true,
	"White_Space": true, "Emoji": true, "Emoji_Presentation": true, "Extended_Pictographic": true,
	"ID_Start": true, "ID_Continue": true, "Ideographic": true, "Hex_Digit": true, "ASCII_Hex_Digit": true, "Math": true,
	"Letter": true, "Lowercase_Letter": true, "Uppercase_Letter": true, "Number": true, "Decimal_Number": true,
	"Punctuation": true, "Symbol": true, "Separator": true, "Mark": true, "Other": true,
}

// property reads the text after \p.
func (p *syntax) property() bool {
	if !p.take("{") {
		return false
	}
	start := p.i
	for p.more() && !p.peek("}") {
		p.i++
	}
	name, value, hasValue := strings.Cut(string(p.src[start:p.i]), "=")
	if !p.take("}") {
		return false
	}
	switch name {
	case "Script", "sc", "Script_Extensions", "scx":
		return unicode.Scripts[value] != nil
	case "General_Category", "gc":
		return isCategory(value)
	}
	return !hasValue && (binaryProperties[name] || isCategory(name))
}

func isCategory(name string) bool { return len(name) <= 2 && unicode.Categories[name] != nil }

// class reads the text after an opening bracket, up to the closing one.
func (p *syntax) class() bool {
	p.take("^")
	for !p.take("]") {
		first, ok := p.classAtom()
		if !ok {
			return false
		}
		if !p.peek("-") || p.peek("-]") {
			continue
		}
		p.i++
		last, ok := p.classAtom()
		if !ok {
			return false
		}
		if first == notOne || last == notOne {
			if p.unicode {
				return false
			}
		} else if first > last {
			return false
		}
	}
	return true
}

// classAtom reads one character of a class, or an escape for several. With flag v it accepts a
// character only if it has no other meaning.
func (p *syntax) classAtom() (rune, bool) {
	if p.take(`\`) {
		return p.characterEscape(true)
	}
	if !p.more() {
		return 0, false
	}
	c := p.src[p.i]
	p.i++
	return c, !p.sets || isLetter(c) || isDigit(c) || c == ' ' || c == '_'
}
