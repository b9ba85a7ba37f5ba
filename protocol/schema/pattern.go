package schema

import (
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/bluelibs/go-tunnel/protocol/internal/jsregexp"
)

// patterns has the regular expressions of all schemas: lanes share them.
type patterns struct{ compiled sync.Map }

// compile translates an expression of JavaScript: package jsregexp has what that means.
func (p *patterns) compile(source string) (*jsregexp.Regexp, error) {
	if known, ok := p.compiled.Load(source); ok {
		return known.(*jsregexp.Regexp), nil
	}
	re, err := jsregexp.Compile(source)
	if err != nil {
		return nil, err
	}
	known, _ := p.compiled.LoadOrStore(source, re)
	return known.(*jsregexp.Regexp), nil
}

// pattern returns a regular expression of a lane's schema. Once that is whole, the engine
// is asked for values in the format regex only, which come from callers: it looks at
// their syntax.
func (l *lane) pattern(source string) (jsonschema.Regexp, error) {
	if l.schema != nil {
		return nil, jsregexp.Check(source)
	}
	re, err := l.patterns.compile(source)
	if err != nil {
		return nil, err
	}
	return &pattern{re, l}, nil
}

// pattern is a regular expression that keeps to the time that its lane has.
type pattern struct {
	*jsregexp.Regexp
	lane *lane
}

// MatchString implements jsonschema.Regexp.
func (p *pattern) MatchString(s string) bool {
	p.lane.patternTime.begin()
	found, err := p.Match(s, p.lane.patternOver)
	if err != nil {
		if p.lane.gaveUp == nil {
			p.lane.gaveUp = &givenUp{p.String(), len(s)}
		}
		p.lane.patternTime.check()
	}
	return found
}

// givenUp is a match that took too long.
type givenUp struct {
	pattern string
	length  int
}

// patternTime bounds the time that patterns take: one match, and all of a check. It
// looks at the clock seldom, since most matches are over before it could tell.
type patternTime struct {
	bound      time.Duration
	now        func() time.Time
	matches    int
	match, all time.Time // when they must be over, once it has looked
}

// reset begins a check.
func (t *patternTime) reset() { t.matches, t.match, t.all = 0, time.Time{}, time.Time{} }

// begin begins a match.
func (t *patternTime) begin() {
	t.match = time.Time{}
	if t.matches++; t.matches%16 == 0 {
		t.check()
	}
}

// check ends the check if there is no time left for it.
func (t *patternTime) check() {
	now := t.now()
	if t.all.IsZero() {
		t.all = now.Add(patternShare * t.bound)
	}
	if now.After(t.all) {
		panic(errTooMuch)
	}
}

// over reports whether the match must end.
func (t *patternTime) over() bool {
	now := t.now()
	if t.all.IsZero() {
		t.all = now.Add(patternShare * t.bound)
	}
	if t.match.IsZero() {
		t.match = now.Add(t.bound)
		return false
	}
	return now.After(t.match) || now.After(t.all)
}
