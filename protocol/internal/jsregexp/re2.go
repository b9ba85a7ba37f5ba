package jsregexp

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// linear is a pattern without assertions on what is ahead or behind, and without back
// references: Go's package does the same with it.
type linear struct {
	re   *regexp.Regexp
	size int // instructions: at each character, each may be done once
}

// newLinear returns nil if a part of a pattern is more than a linear is, or too large.
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

// writeRE2 writes a part of a pattern as Go has it. Groups need not capture, and which
// alternative comes first does not matter where all that counts is whether there is one.
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
