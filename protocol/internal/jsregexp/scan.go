package jsregexp

// scanner finds patterns without back references in a time that grows with the length of the text
// only. It reads the text once, with all instructions that may be current. Looks are evaluated
// before: each has read the text from the other side, and noted all places where it matches.
type scanner struct {
	text   []rune
	watch  watch
	tables map[*program][]uint64 // a bit for each place
	queues map[*program]*queues
	stack  []int
}

// queues are the current instructions of a program, at one place and the next.
type queues struct{ now, next queue }

// queue is a set of instructions in the order of insertion.
type queue struct {
	list []int
	at   []int // the index of an instruction in the list, if it is there
}

func (q *queue) add(pc int) bool {
	if i := q.at[pc]; i < len(q.list) && q.list[i] == pc {
		return false
	}
	q.at[pc] = len(q.list)
	q.list = append(q.list, pc)
	return true
}

func newScanner() *scanner {
	return &scanner{tables: map[*program][]uint64{}, queues: map[*program]*queues{}}
}

func (s *scanner) match(p *program, text string, stop func() bool) (found bool, err error) {
	s.text = s.text[:0]
	for _, c := range text {
		s.text = append(s.text, c)
	}
	s.watch = watch{stop: stop}
	s.run(p, func(int) bool {
		found = true
		return false
	})
	return found, s.watch.err
}

// table notes all places at which a look matches.
func (s *scanner) table(p *program) {
	size := len(s.text)/64 + 1
	table := s.tables[p]
	if cap(table) < size {
		table = make([]uint64, size)
	}
	table = table[:size]
	clear(table)
	s.run(p, func(at int) bool {
		table[at>>6] |= 1 << (at & 63)
		return true
	})
	s.tables[p] = table
}

// run calls yield at each place at which the program has matched, until yield returns false or the
// match is stopped.
func (s *scanner) run(p *program, yield func(at int) bool) {
	for _, i := range p.code {
		if i.op == opLook {
			s.table(i.look)
		}
	}
	q := s.queues[p]
	if q == nil {
		q = &queues{queue{at: make([]int, len(p.code))}, queue{at: make([]int, len(p.code))}}
		s.queues[p] = q
	}
	now, next := &q.now, &q.next
	now.list = now.list[:0]
	at, end, step := 0, len(s.text), 1
	if p.backward {
		at, end, step = end, at, -1
	}
	for s.watch.err == nil {
		if !p.anchored() || at == 0 {
			s.follow(p, now, 0, at)
		}
		if now.matched(p) && !yield(at) || at == end || len(now.list) == 0 && p.anchored() {
			return
		}
		read := at
		if p.backward {
			read--
		}
		next.list = next.list[:0]
		for _, pc := range now.list {
			if i := &p.code[pc]; i.op == opSet && i.set.has(s.text[read]) {
				s.follow(p, next, pc+1, at+step)
			}
		}
		at += step
		now, next = next, now
	}
}

// anchored reports whether a program matches at the start of the text or not at all.
func (p *program) anchored() bool {
	return !p.backward && p.code[0].op == opPlace && p.code[0].place == placeStart
}

func (q *queue) matched(p *program) bool {
	last := len(p.code) - 1
	i := q.at[last]
	return i < len(q.list) && q.list[i] == last
}

// follow adds an instruction, and all instructions that it leads to without reading.
func (s *scanner) follow(p *program, q *queue, pc, at int) {
	s.stack = append(s.stack[:0], pc)
	for len(s.stack) > 0 && s.watch.step() {
		pc := s.stack[len(s.stack)-1]
		s.stack = s.stack[:len(s.stack)-1]
		if !q.add(pc) {
			continue
		}
		switch i := &p.code[pc]; i.op {
		case opSplit:
			s.stack = append(s.stack, i.y, i.x)
		case opJump:
			s.stack = append(s.stack, i.x)
		case opPlace:
			if holds(i.place, s.text, at) {
				s.stack = append(s.stack, pc+1)
			}
		case opLook:
			if s.tables[i.look][at>>6]&(1<<(at&63)) != 0 != i.negative {
				s.stack = append(s.stack, pc+1)
			}
		}
	}
}

// holds reports whether an assertion is true at a place.
func holds(p place, text []rune, at int) bool {
	switch p {
	case placeStart:
		return at == 0
	case placeEnd:
		return at == len(text)
	}
	before := at > 0 && isWord(text[at-1])
	after := at < len(text) && isWord(text[at])
	return before != after == (p == placeWordEdge)
}
