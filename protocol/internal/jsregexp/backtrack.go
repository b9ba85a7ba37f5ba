package jsregexp

import "slices"

// machine finds patterns with back references: it tries one alternative after the other, as
// JavaScript does, and its time has no bound.
type machine struct {
	text  []rune
	code  []instruction
	watch watch
	slots []int32
	stack []frame
}

// frame is the place to continue if an alternative fails, or a slot to restore before that.
type frame struct {
	pc   int32 // below zero: put old into slot -pc-1
	at   int32
	slot int32
}

// maxStack is the largest number of frames of a match: some 48 MB.
const maxStack = 1 << 22

func (m *machine) match(p *program, text string, stop func() bool) (bool, error) {
	m.text = m.text[:0]
	for _, c := range text {
		m.text = append(m.text, c)
	}
	m.code, m.watch = p.code, watch{stop: stop}
	m.slots = slices.Grow(m.slots[:0], p.slots)[:p.slots]
	for at := 0; at <= len(m.text) && (at == 0 || !p.anchored()); at++ {
		for i := range m.slots {
			m.slots[i] = -1
		}
		m.stack = m.stack[:0]
		if m.run(0, at) {
			return true, nil
		}
		if m.watch.err != nil {
			return false, m.watch.err
		}
	}
	return false, nil
}

// run reports whether the rest of the program from an instruction on matches. If it does, its
// frames stay on the stack; otherwise it removes them.
func (m *machine) run(pc, at int) bool {
	base := len(m.stack)
	for m.watch.step() {
		ok := true
		switch i := &m.code[pc]; i.op {
		case opMatch:
			return true
		case opSet:
			if i.backward {
				ok = at > 0 && i.set.has(m.text[at-1])
				at--
			} else {
				ok = at < len(m.text) && i.set.has(m.text[at])
				at++
			}
			pc++
		case opSplit:
			m.push(frame{pc: int32(i.y), at: int32(at)})
			pc = i.x
		case opJump:
			pc = i.x
		case opPlace:
			ok = holds(i.place, m.text, at)
			pc++
		case opLook:
			ok = m.look(i.y, at, i.negative)
			pc = i.x
		case opSave:
			m.set(i.x, int32(at))
			pc++
		case opClear:
			for slot := i.x; slot < i.y; slot++ {
				if m.slots[slot] >= 0 {
					m.set(slot, -1)
				}
			}
			pc++
		case opProgress:
			ok = m.slots[i.x] != int32(at)
			pc++
		case opReference:
			at, ok = m.reference(i, at)
			pc++
		}
		if !ok {
			if pc, at, ok = m.back(base); !ok {
				return false
			}
		}
	}
	return false
}

func (m *machine) push(f frame) {
	if len(m.stack) >= maxStack {
		m.watch.err = ErrStopped
		return
	}
	m.stack = append(m.stack, f)
}

func (m *machine) set(slot int, value int32) {
	m.push(frame{pc: -1, at: m.slots[slot], slot: int32(slot)})
	m.slots[slot] = value
}

// back takes the last untried alternative, down to a base.
func (m *machine) back(base int) (pc, at int, ok bool) {
	for len(m.stack) > base {
		f := m.stack[len(m.stack)-1]
		m.stack = m.stack[:len(m.stack)-1]
		if f.pc >= 0 {
			return int(f.pc), int(f.at), true
		}
		m.slots[f.slot] = f.at
	}
	return 0, 0, false
}

// look reports whether a look matches. Its captures stay unless it is negative; its other
// alternatives are not tried again.
func (m *machine) look(pc, at int, negative bool) bool {
	base := len(m.stack)
	found := m.run(pc, at)
	kept := base
	for _, f := range m.stack[base:] {
		if f.pc < 0 {
			m.stack[kept] = f
			kept++
		}
	}
	m.stack = m.stack[:kept]
	if negative {
		m.back(base)
	}
	return found != negative && m.watch.err == nil
}

// reference matches the text of a group again. A group without a text matches nothing.
func (m *machine) reference(i *instruction, at int) (int, bool) {
	from, to := int(m.slots[i.x]), int(m.slots[i.x+1])
	if from < 0 || to < 0 {
		return at, true
	}
	start, end := at, at+to-from
	if i.backward {
		start, end = at-(to-from), at
	}
	if start < 0 || end > len(m.text) || !slices.Equal(m.text[start:end], m.text[from:to]) {
		return at, false
	}
	for range (to - from) / 64 {
		m.watch.step()
	}
	if i.backward {
		return start, true
	}
	return end, true
}
