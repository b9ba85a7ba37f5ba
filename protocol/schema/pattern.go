package schema

import (
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/bluelibs/go-tunnel/protocol/internal/jsregexp"
)

// patterns has the regular expressions of all schemas, which lanes share.
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

// pattern returns a regular expression of a lane's schema. After compilation the library calls it
// only for values in the format regex, which come from callers: then only the syntax is checked.
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

// pattern is a regular expression within the time of its lane.
type pattern struct {
	*jsregexp.Regexp
	lane *lane
}

// MatchString implements jsonschema.Regexp.
func (p *pattern) MatchString(s string) bool {
	p.lane.patternTime.begin()
	found, err := p.Match(s, p.lane.patternOver)
	if err != nil {
		if p.lane.timedOut == nil {
			p.lane.timedOut = &timeoutError{p.String(), len(s)}
		}
		p.lane.patternTime.check()
	}
	return found
}

// timeoutError is the error of a match that took too long.
type timeoutError struct {
	pattern string
	length  int
}

// patternTime bounds the time of one match, and of all matches of a check. It reads the clock
// seldom, since most matches end before that.
type patternTime struct {
	bound      time.Duration
	now        func() time.Time
	matches    int
	match, all time.Time // when they must end; zero before it has read the clock
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

// expired reports whether the match must end.
func (t *patternTime) expired() bool {
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
