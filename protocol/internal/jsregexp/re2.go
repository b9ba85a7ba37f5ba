package jsregexp

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// linear is a pattern without looks and back references, which Go's package regexp matches in the
// same way.
type linear struct {
	re   *regexp.Regexp
	size int // the number of instructions: each may run once at each character
}

// newLinear returns nil if a linear cannot have a part of the pattern, or the pattern is too
// large.
func newLinear(prefix string, n *node) *linear {
	var b strings.Builder
	b.WriteString(prefix)
	if !writeRE2(&b, n) {
		return nil
	}
	tree, err := syntax.Parse(b.String(), syntax.Perl)
	if err != nil {
		return nil
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil
	}
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil
	}
	return &linear{re, len(program.Inst)}
}

// writeRE2 writes a part of a pattern in the syntax of Go. Groups need not capture, and the order
// of alternatives does not matter, since only the existence of a match counts.
func writeRE2(b *strings.Builder, n *node) bool {
	switch n.kind {
	case kindSet:
		writeSet(b, n.set)
		return true
	case kindSequence:
		for _, kid := range n.kids {
			if kid.kind == kindChoice {
				kid = &node{kind: kindGroup, kids: []*node{kid}}
			}
			if !writeRE2(b, kid) {
				return false
			}
		}
		return true
	case kindChoice:
		for i, kid := range n.kids {
			if i > 0 {
				b.WriteByte('|')
			}
			if !writeRE2(b, kid) {
				return false
			}
		}
		return true
	case kindGroup, kindRepeat:
		b.WriteString("(?:")
		if !writeRE2(b, n.kids[0]) {
			return false
		}
		b.WriteByte(')')
		if n.kind == kindRepeat {
			fmt.Fprintf(b, "{%d,", n.min)
			if n.max >= 0 {
				fmt.Fprint(b, n.max)
			}
			b.WriteByte('}')
		}
		return true
	case kindAssertion:
		b.WriteString([...]string{placeStart: `\A`, placeEnd: `\z`, placeWordEdge: `\b`, placeNoWordEdge: `\B`}[n.place])
		return true
	}
	return false
}

func writeSet(b *strings.Builder, s set) {
	if len(s) == 0 {
		s = anything
		b.WriteString("[^")
	} else {
		b.WriteByte('[')
	}
	for _, one := range s {
		fmt.Fprintf(b, `\x{%x}-\x{%x}`, one.lo, one.hi)
	}
	b.WriteByte(']')
}
