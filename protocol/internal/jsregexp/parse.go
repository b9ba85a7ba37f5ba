package jsregexp

import (
	"errors"
	"fmt"
)

// kind is the kind of a node.
type kind uint8

const (
	kindSet       kind = iota // one character of a set
	kindSequence              // kids one after the other; no kids match nothing
	kindChoice                // one of the kids
	kindGroup                 // one kid, captured
	kindRepeat                // one kid, min to max times
	kindAssertion             // a condition on the place
	kindLook                  // one kid, ahead or behind
	kindReference             // the text that a group has captured
)

// node is a part of a pattern.
type node struct {
	kind     kind
	kids     []*node
	set      set
	place    place  // of an assertion
	min, max int    // of a repetition; max -1: any number
	lazy     bool   // of a repetition
	behind   bool   // of a look
	negative bool   // of a look
	group    int    // of a group, or a reference
	name     string // of a reference, until all groups are known
	groups   [2]int // the groups inside: from, to (exclusive)
}

// place is a condition on the place in the text.
type place uint8

const (
	placeStart place = iota
	placeEnd
	placeWordEdge
	placeNoWordEdge
)

const (
	maxDepth = 1000    // of groups
	maxCount = 1 << 30 // of a repetition; larger counts mean any number
)

var errSyntax = errors.New("not a regular expression of JavaScript with flag u")

// parser reads a pattern as new RegExp(pattern, "u") does.
type parser struct {
	src    []rune
	i      int
	depth  int
	groups int
	names  map[string]int
	refs   []*node
}

// parsed is a pattern that was read.
type parsed struct {
	root   *node
	groups int  // the number of capturing groups, and one for the whole
	refers bool // it has back references
}

func parse(pattern string) (*parsed, error) {
	p := &parser{src: []rune(pattern), groups: 1, names: map[string]int{}}
	root, err := p.choice()
	if err != nil {
		return nil, err
	}
	if p.more() {
		return nil, p.fail("a bracket that nothing opens")
	}
	for _, ref := range p.refs {
		if ref.name != "" {
			if ref.group = p.names[ref.name]; ref.group == 0 {
				return nil, p.fail("a reference to no group")
			}
		} else if ref.group >= p.groups {
			return nil, p.fail("a reference to no group")
		}
	}
	return &parsed{root, p.groups, len(p.refs) > 0}, nil
}

func (p *parser) fail(what string) error {
	return fmt.Errorf("%w: %s", errSyntax, what)
}

func (p *parser) more() bool { return p.i < len(p.src) }

// peek returns the character n ahead, 0 at the end.
func (p *parser) peek(n int) rune {
	if p.i+n >= len(p.src) {
		return 0
	}
	return p.src[p.i+n]
}

func (p *parser) take(text string) bool {
	for n := range len(text) {
		if p.i+n >= len(p.src) || p.src[p.i+n] != rune(text[n]) {
			return false
		}
	}
	p.i += len(text)
	return true
}

// choice reads alternatives up to the closing bracket around them, or the end.
func (p *parser) choice() (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errors.New("a regular expression with too many groups in each other")
	}
	defer func() { p.depth-- }()
	all := &node{kind: kindChoice}
	for {
		one, err := p.sequence()
		if err != nil {
			return nil, err
		}
		all.kids = append(all.kids, one)
		if !p.take("|") {
			break
		}
	}
	if len(all.kids) == 1 {
		return all.kids[0], nil
	}
	return all, nil
}

func (p *parser) sequence() (*node, error) {
	all := &node{kind: kindSequence}
	for p.more() && p.peek(0) != '|' && p.peek(0) != ')' {
		first := p.groups
		atom, err := p.term()
		if err != nil {
			return nil, err
		}
		if atom, err = p.quantified(atom, first); err != nil {
			return nil, err
		}
		all.kids = append(all.kids, atom)
	}
	return all, nil
}

// term reads an atom or an assertion.
func (p *parser) term() (*node, error) {
	switch {
	case p.take("^"):
		return &node{kind: kindAssertion, place: placeStart}, nil
	case p.take("$"):
		return &node{kind: kindAssertion, place: placeEnd}, nil
	case p.take(`\b`):
		return &node{kind: kindAssertion, place: placeWordEdge}, nil
	case p.take(`\B`):
		return &node{kind: kindAssertion, place: placeNoWordEdge}, nil
	case p.take("(?="):
		return p.look(false, false)
	case p.take("(?!"):
		return p.look(false, true)
	case p.take("(?<="):
		return p.look(true, false)
	case p.take("(?<!"):
		return p.look(true, true)
	case p.take("(?:"):
		return p.rest()
	case p.take("(?<"):
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		if p.names[name] != 0 {
			return nil, p.fail("two groups of one name")
		}
		p.names[name] = p.groups
		return p.capture()
	case p.take("(?"):
		return nil, p.fail("a group of no kind")
	case p.take("("):
		return p.capture()
	case p.take("."):
		return &node{kind: kindSet, set: lineEnds.not()}, nil
	case p.take("["):
		return p.class()
	case p.take(`\`):
		return p.atomEscape()
	}
	switch c := p.peek(0); c {
	case '*', '+', '?', '{', '}', ']':
		return nil, p.fail(fmt.Sprintf("%q where nothing is to be repeated", c))
	default:
		p.i++
		return &node{kind: kindSet, set: single(c)}, nil
	}
}

func (p *parser) capture() (*node, error) {
	group := &node{kind: kindGroup, group: p.groups}
	p.groups++
	body, err := p.rest()
	group.kids = []*node{body}
	return group, err
}

func (p *parser) look(behind, negative bool) (*node, error) {
	first := p.groups
	body, err := p.rest()
	return &node{
		kind: kindLook, kids: []*node{body}, behind: behind, negative: negative, groups: [2]int{first, p.groups},
	}, err
}

// rest reads a group after its beginning.
func (p *parser) rest() (*node, error) {
	body, err := p.choice()
	if err == nil && !p.take(")") {
		err = p.fail("a group without an end")
	}
	return body, err
}

// quantified reads the quantifier of an atom, if it has one.
func (p *parser) quantified(atom *node, first int) (*node, error) {
	q := &node{kind: kindRepeat, kids: []*node{atom}, groups: [2]int{first, p.groups}}
	switch {
	case p.take("*"):
		q.max = -1
	case p.take("+"):
		q.min, q.max = 1, -1
	case p.take("?"):
		q.max = 1
	case p.take("{"):
		var ok bool
		if q.min, ok = p.count(); !ok {
			return nil, p.fail("a brace that is no count")
		}
		q.max = q.min
		if p.take(",") {
			if q.max, ok = p.count(); !ok {
				q.max = -1
			}
		}
		if !p.take("}") {
			return nil, p.fail("a brace that is no count")
		}
		if q.max >= 0 && q.max < q.min {
			return nil, p.fail("a count out of order")
		}
	default:
		return atom, nil
	}
	q.lazy = p.take("?")
	if atom.kind == kindAssertion || atom.kind == kindLook {
		return nil, p.fail("an assertion that is repeated")
	}
	return q, nil
}

func (p *parser) count() (n int, found bool) {
	for ; '0' <= p.peek(0) && p.peek(0) <= '9'; p.i++ {
		n, found = min(n*10+int(p.peek(0)-'0'), maxCount), true
	}
	return n, found
}

// name reads the name of a group and the bracket after it.
func (p *parser) name() (string, error) {
	var name []rune
	for !p.take(">") {
		c := p.peek(0)
		p.i++
		if c == '\\' {
			var ok bool
			if c, ok = p.unicodeEscape(); !ok {
				return "", p.fail("a name of no group")
			}
		}
		if !p.inName(c, len(name) == 0) {
			return "", p.fail("a name of no group")
		}
		name = append(name, c)
	}
	if len(name) == 0 {
		return "", p.fail("a name of no group")
	}
	return string(name), nil
}

func (p *parser) inName(c rune, first bool) bool {
	switch {
	case c == '$' || isWord(c):
		return !first || c < '0' || c > '9'
	case c < 0x80:
		return false
	case first:
		start, _ := property("ID_Start")
		return start.has(c)
	}
	more, _ := property("ID_Continue")
	return more.has(c) || c == 0x200c || c == 0x200d
}

// class reads a character class, up to its bracket.
func (p *parser) class() (*node, error) {
	negative := p.take("^")
	var all []set
	for !p.take("]") {
		if !p.more() {
			return nil, p.fail("a class without an end")
		}
		one, isLow, err := p.classAtom()
		if err != nil {
			return nil, err
		}
		if p.peek(0) == '-' && p.i+1 < len(p.src) && p.peek(1) != ']' {
			p.i++
			high, isHigh, err := p.classAtom()
			switch {
			case err != nil:
				return nil, err
			case !isLow || !isHigh || one[0].lo > high[0].lo:
				return nil, p.fail("a range out of order")
			}
			one = set{{one[0].lo, high[0].lo}}
		}
		all = append(all, one)
	}
	found := union(all...)
	if negative {
		found = found.not()
	}
	return &node{kind: kindSet, set: found}, nil
}

// classAtom reads a part of a class. It reports whether that is one character, which may be the
// end of a range.
func (p *parser) classAtom() (found set, isOne bool, err error) {
	if !p.take(`\`) {
		c := p.peek(0)
		p.i++
		return single(c), true, nil
	}
	if found, ok, err := p.classEscape(); ok || err != nil {
		return found, false, err
	}
	switch {
	case p.take("b"):
		return single('\b'), true, nil
	case p.take("-"):
		return single('-'), true, nil
	}
	c, err := p.characterEscape()
	return single(c), true, err
}
