package jsregexp

import (
	"errors"
	"slices"
)

// opcode is the operation of an instruction.
type opcode uint8

const (
	opSet       opcode = iota // one character
	opSplit                   // continues at x or, if that fails, at y
	opJump                    // continues at x
	opPlace                   // an assertion on the place
	opLook                    // an assertion on the text ahead or behind
	opSave                    // stores the place in slot x
	opClear                   // clears the slots from x to y
	opProgress                // fails at the place in slot x
	opReference               // the text of a group again
	opMatch
)

// instruction is a step of a program.
type instruction struct {
	op       opcode
	place    place
	negative bool // of opLook
	backward bool // of opSet and opReference: the text before
	x, y     int
	set      *class
	look     *program // of opLook; in a program that backtracks the look begins at y
}

// class is a set with a table for its first characters.
type class struct {
	ascii [2]uint64
	set   set
}

func newClass(s set) *class {
	c := &class{set: s}
	for b := rune(0); b < 0x80; b++ {
		if s.has(b) {
			c.ascii[b>>6] |= 1 << (b & 63)
		}
	}
	return c
}

func (c *class) has(r rune) bool {
	if r < 0x80 {
		return c.ascii[r>>6]&(1<<(r&63)) != 0
	}
	return c.set.has(r)
}

// program is a pattern as instructions. It begins with the first.
type program struct {
	code     []instruction
	backward bool // it reads a text from its end
	slots    int  // the number of slots
}

// maxProgram is the largest number of instructions of a pattern: counts are written out.
const maxProgram = 1 << 18

var errSize = errors.New("a regular expression that is too large")

// assembler writes a program. If it backtracks, it has groups; otherwise each look is a program of
// its own, which reads the text from the other side: see scan.
type assembler struct {
	*program
	backtracks bool
	classes    map[*node]*class // counts repeat a node often
}

func assemble(root *node, groups int, backtracks, backward bool) (*program, error) {
	a := assembler{&program{backward: backward, slots: 2 * groups}, backtracks, map[*node]*class{}}
	if err := a.node(root); err != nil {
		return nil, err
	}
	a.add(instruction{op: opMatch})
	return a.program, nil
}

func (a *assembler) add(i instruction) int {
	a.code = append(a.code, i)
	return len(a.code) - 1
}

func (a *assembler) node(n *node) error {
	if len(a.code) > maxProgram {
		return errSize
	}
	switch n.kind {
	case kindSet:
		if a.classes[n] == nil {
			a.classes[n] = newClass(n.set)
		}
		a.add(instruction{op: opSet, set: a.classes[n], backward: a.backward})
	case kindSequence:
		for i := range n.kids {
			if a.backward {
				i = len(n.kids) - 1 - i
			}
			if err := a.node(n.kids[i]); err != nil {
				return err
			}
		}
	case kindChoice:
		return a.choice(n.kids)
	case kindGroup:
		return a.group(n)
	case kindRepeat:
		return a.repeat(n)
	case kindAssertion:
		a.add(instruction{op: opPlace, place: n.place})
	case kindLook:
		return a.look(n)
	case kindReference:
		a.add(instruction{op: opReference, x: 2 * n.group, backward: a.backward})
	}
	return nil
}

func (a *assembler) choice(kids []*node) error {
	var jumps []int
	for i, kid := range kids {
		split := -1
		if i < len(kids)-1 {
			split = a.add(instruction{op: opSplit, x: len(a.code) + 1})
		}
		if err := a.node(kid); err != nil {
			return err
		}
		if split >= 0 {
			jumps = append(jumps, a.add(instruction{op: opJump}))
			a.code[split].y = len(a.code)
		}
	}
	for _, jump := range jumps {
		a.code[jump].x = len(a.code)
	}
	return nil
}

func (a *assembler) group(n *node) error {
	if !a.backtracks {
		return a.node(n.kids[0])
	}
	first, last := 2*n.group, 2*n.group+1
	if a.backward {
		first, last = last, first
	}
	a.add(instruction{op: opSave, x: first})
	if err := a.node(n.kids[0]); err != nil {
		return err
	}
	a.add(instruction{op: opSave, x: last})
	return nil
}

// repeat writes a body as often as it must match, and then as often as it may. An optional body
// must not match nothing: JavaScript does not count such repetitions.
func (a *assembler) repeat(n *node) error {
	for range n.min {
		before := len(a.code)
		if err := a.iteration(n, false); err != nil {
			return err
		}
		if len(a.code) == before {
			break // it matches nothing, however often
		}
	}
	if n.max < 0 {
		split := a.add(instruction{op: opSplit})
		if err := a.iteration(n, true); err != nil {
			return err
		}
		a.add(instruction{op: opJump, x: split})
		a.aim(split, n.lazy)
		return nil
	}
	var splits []int
	for range n.max - n.min {
		splits = append(splits, a.add(instruction{op: opSplit}))
		if err := a.iteration(n, true); err != nil {
			return err
		}
	}
	for _, split := range splits {
		a.aim(split, n.lazy)
	}
	return nil
}

// aim makes a split continue after it, or at the end.
func (a *assembler) aim(split int, lazy bool) {
	i := &a.code[split]
	i.x, i.y = split+1, len(a.code)
	if lazy {
		i.x, i.y = i.y, i.x
	}
}

func (a *assembler) iteration(n *node, optional bool) error {
	if len(a.code) > maxProgram {
		return errSize
	}
	if !a.backtracks {
		return a.node(n.kids[0])
	}
	if n.groups[0] < n.groups[1] {
		a.add(instruction{op: opClear, x: 2 * n.groups[0], y: 2 * n.groups[1]})
	}
	start := a.slots
	if optional = optional && n.kids[0].mayBeEmpty(); optional {
		a.slots++
		a.add(instruction{op: opSave, x: start})
	}
	if err := a.node(n.kids[0]); err != nil {
		return err
	}
	if optional {
		a.add(instruction{op: opProgress, x: start})
	}
	return nil
}

func (a *assembler) look(n *node) error {
	if !a.backtracks {
		body, err := assemble(n.kids[0], 0, false, !n.behind)
		a.add(instruction{op: opLook, negative: n.negative, look: body})
		return err
	}
	look := a.add(instruction{op: opLook, negative: n.negative, y: len(a.code) + 1})
	outer := a.backward
	a.backward = n.behind
	err := a.node(n.kids[0])
	a.backward = outer
	a.add(instruction{op: opMatch})
	a.code[look].x = len(a.code)
	return err
}

// mayBeEmpty reports whether a part of a pattern may match nothing.
func (n *node) mayBeEmpty() bool {
	isEmpty := func(kid *node) bool { return kid.mayBeEmpty() }
	switch n.kind {
	case kindSet:
		return false
	case kindSequence:
		return !slices.ContainsFunc(n.kids, func(kid *node) bool { return !isEmpty(kid) })
	case kindChoice:
		return slices.ContainsFunc(n.kids, isEmpty)
	case kindGroup:
		return isEmpty(n.kids[0])
	case kindRepeat:
		return n.min == 0 || isEmpty(n.kids[0])
	}
	return true
}
