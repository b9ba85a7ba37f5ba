package jsregexp

import "strings"

// atomEscape reads the text after a backslash outside of classes.
func (p *parser) atomEscape() (*node, error) {
	if found, ok, err := p.classEscape(); ok || err != nil {
		return &node{kind: kindSet, set: found}, err
	}
	ref := &node{kind: kindReference}
	switch c := p.peek(0); {
	case '1' <= c && c <= '9':
		ref.group, _ = p.count()
	case p.take("k"):
		if !p.take("<") {
			return nil, p.fail("a reference without a name")
		}
		var err error
		if ref.name, err = p.name(); err != nil {
			return nil, err
		}
	default:
		c, err := p.characterEscape()
		return &node{kind: kindSet, set: single(c)}, err
	}
	p.refs = append(p.refs, ref)
	return ref, nil
}

// classEscape reads the rest of an escape if it stands for a set.
func (p *parser) classEscape() (found set, ok bool, err error) {
	switch {
	case p.take("d"):
		return digits, true, nil
	case p.take("D"):
		return digits.not(), true, nil
	case p.take("s"):
		return blanks, true, nil
	case p.take("S"):
		return blanks.not(), true, nil
	case p.take("w"):
		return words, true, nil
	case p.take("W"):
		return words.not(), true, nil
	case p.peek(0) != 'p' && p.peek(0) != 'P':
		return nil, false, nil
	}
	negative := p.peek(0) == 'P'
	p.i++
	start := p.i + 1
	if !p.take("{") {
		return nil, false, p.fail("a property without a name")
	}
	for !p.take("}") {
		if !p.more() {
			return nil, false, p.fail("a property without an end")
		}
		p.i++
	}
	found, ok = property(string(p.src[start : p.i-1]))
	if !ok {
		return nil, false, p.fail("a property of no character")
	}
	if negative {
		found = found.not()
	}
	return found, true, nil
}

// characterEscape reads the rest of an escape that stands for one character.
func (p *parser) characterEscape() (rune, error) {
	if p.peek(0) == 'u' {
		if c, ok := p.unicodeEscape(); ok {
			return c, nil
		}
		return 0, p.fail(`\u without a number`)
	}
	c := p.peek(0)
	if p.more() {
		p.i++
	}
	switch {
	case c == 'f':
		return '\f', nil
	case c == 'n':
		return '\n', nil
	case c == 'r':
		return '\r', nil
	case c == 't':
		return '\t', nil
	case c == 'v':
		return '\v', nil
	case c == '0' && (p.peek(0) < '0' || p.peek(0) > '9'):
		return 0, nil
	case c == 'c' && isLetter(p.peek(0)):
		c = p.peek(0) & 31
		p.i++
		return c, nil
	case c == 'x':
		if c, ok := p.hex(2); ok {
			return c, nil
		}
	case c != 0 && strings.ContainsRune(`^$\.*+?()[]{}|/`, c):
		return c, nil
	}
	return 0, p.fail("an escape of nothing")
}

func isLetter(c rune) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// unicodeEscape reads uXXXX, two of them for one character, or u{X…}.
func (p *parser) unicodeEscape() (rune, bool) {
	switch {
	case p.take("u{"):
		var c rune
		start := p.i
		for ; !p.take("}"); p.i++ {
			digit, ok := hexDigit(p.peek(0))
			if c = c<<4 | digit; !ok || c > 0x10ffff {
				return 0, false
			}
		}
		return c, p.i > start+1
	case p.take("u"):
		c, ok := p.hex(4)
		if start := p.i; ok && 0xd800 <= c && c < 0xdc00 && p.take(`\u`) {
			if low, ok := p.hex(4); ok && 0xdc00 <= low && low < 0xe000 {
				return (c-0xd800)<<10 + low - 0xdc00 + 0x10000, true
			}
			p.i = start
		}
		return c, ok
	}
	return 0, false
}

func (p *parser) hex(digits int) (c rune, ok bool) {
	for range digits {
		digit, ok := hexDigit(p.peek(0))
		if !ok {
			return 0, false
		}
		c = c<<4 | digit
		p.i++
	}
	return c, true
}

func hexDigit(c rune) (rune, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
