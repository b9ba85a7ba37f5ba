// Package jsregexp matches regular expressions as JavaScript does with flag u.
//
// Go's package regexp matches patterns without back references and looks, except for looks at the
// start, in linear time. Other patterns without back references take linear time, too: see
// scanner. Patterns with back references are matched by backtracking: see machine. Every match can
// be stopped.
//
// Texts are UTF-8, so that they have no half of a surrogate pair. Additions to RegExp since
// ECMAScript 2025, modifiers and two groups with the same name, are refused.
package jsregexp

import (
	"errors"
	"io"
	"sync"
	"unicode/utf8"
)

// Regexp is a compiled pattern. It is safe for concurrent use.
type Regexp struct {
	source  string
	ahead   []lookahead // the looks at the start
	linear  *linear
	scan    *program
	program *program // set if there are back references
	tools   sync.Pool
}

// lookahead is a pattern that must, or must not, match at the start of a text.
type lookahead struct {
	*linear
	negative bool
}

// ErrStopped is the error of a match that was stopped, or that needs too much memory.
var ErrStopped = errors.New("jsregexp: the match was stopped")

// Compile compiles a pattern. It refuses a pattern for which new RegExp(pattern, "u") would throw,
// or that has more than 262,144 steps with all counts written out.
func Compile(pattern string) (*Regexp, error) {
	p, err := parse(pattern)
	if err != nil {
		return nil, err
	}
	r := &Regexp{source: pattern}
	switch {
	case p.refers:
		r.program, err = assemble(p.root, p.groups, true, false)
	case !r.split(p.root):
		r.scan, err = assemble(p.root, 0, false, false)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Check returns the error in the syntax of a pattern, nil if there is none.
func Check(pattern string) error {
	_, err := parse(pattern)
	return err
}

// split makes linear patterns of a pattern, if it can: ^(?=.{1,9}$)(?!-)x matches if ^(?:.{1,9}$)
// and ^x match and ^(?:-) does not.
func (r *Regexp) split(root *node) bool {
	rest := root
	prefix := ""
	if root.kind == kindSequence && len(root.kids) > 0 && root.kids[0].kind == kindAssertion && root.kids[0].place == placeStart {
		prefix = `\A`
		kids := root.kids[1:]
		for len(kids) > 0 && kids[0].kind == kindLook && !kids[0].behind {
			ahead := newLinear(prefix, &node{kind: kindGroup, kids: kids[0].kids})
			if ahead == nil {
				return false
			}
			r.ahead = append(r.ahead, lookahead{ahead, kids[0].negative})
			kids = kids[1:]
		}
		rest = &node{kind: kindSequence, kids: kids}
	}
	r.linear = newLinear(prefix, rest)
	return r.linear != nil
}

// String returns the pattern.
func (r *Regexp) String() string { return r.source }

// Linear reports whether a match takes a time that grows with the length of the text only.
func (r *Regexp) Linear() bool { return r.program == nil }

// Match reports whether the pattern matches a part of a text. Long matches call stop regularly; if
// that returns true, they end with ErrStopped.
func (r *Regexp) Match(text string, stop func() bool) (bool, error) {
	switch {
	case r.program != nil:
		m, _ := r.tools.Get().(*machine)
		if m == nil {
			m = &machine{}
		}
		found, err := m.match(r.program, text, stop)
		r.keep(m, len(text))
		return found, err
	case r.scan != nil:
		s, _ := r.tools.Get().(*scanner)
		if s == nil {
			s = newScanner()
		}
		found, err := s.match(r.scan, text, stop)
		r.keep(s, len(text))
		return found, err
	}
	for _, ahead := range r.ahead {
		if found, err := ahead.match(text, stop); err != nil || found == ahead.negative {
			return false, err
		}
	}
	return r.linear.match(text, stop)
}

// keep keeps the memory of a match for the next one, unless a long text has made it large.
func (r *Regexp) keep(tool any, length int) {
	if length < 1<<12 {
		r.tools.Put(tool)
	}
}

// unwatched is the number of steps before stop is called.
const unwatched = 1 << 18

// match calls Go's package with a reader for a long text, which ends when the match must stop.
func (l *linear) match(text string, stop func() bool) (bool, error) {
	if l.size*len(text) < unwatched {
		return l.re.MatchString(text), nil
	}
	r := &reader{text: text, every: unwatched/l.size + 1, stop: stop}
	found := l.re.MatchReader(r)
	if r.stopped {
		return false, ErrStopped
	}
	return found, nil
}

type reader struct {
	text    string
	every   int // characters
	read    int
	stop    func() bool
	stopped bool
}

// ReadRune implements io.RuneReader.
func (r *reader) ReadRune() (rune, int, error) {
	if r.read++; r.read%r.every == 0 && r.stop() {
		r.stopped = true
	}
	if r.text == "" || r.stopped {
		return 0, 0, io.EOF
	}
	c, size := utf8.DecodeRuneInString(r.text)
	r.text = r.text[size:]
	return c, size, nil
}

// watch counts steps and calls stop regularly.
type watch struct {
	stop  func() bool
	steps int
	err   error
}

// step reports whether the match may continue.
func (w *watch) step() bool {
	if w.steps++; w.steps%unwatched == 0 && w.stop() {
		w.err = ErrStopped
	}
	return w.err == nil
}
