package schema

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compilePattern compiles a regular expression of JavaScript, as far as Go's, which
// takes linear time on any text, can do the same. Beyond what both have that is
// \uXXXX, and lookaheads at the very start, which libraries of schemas like:
// ^(?=.{1,253}$)(?!-)x is what ^(?:.{1,253}$) and ^x match, and ^(?:-) does not.
func compilePattern(pattern string) (jsonschema.Regexp, error) {
	p := &jsPattern{source: pattern}
	rest := translateUnicode(pattern)
	for strings.HasPrefix(rest, "^(?=") || strings.HasPrefix(rest, "^(?!") {
		end := groupEnd(rest, 1)
		if end < 0 || hasAlternatives(rest[end:]) {
			break
		}
		ahead, err := regexp.Compile("^(?:" + rest[len("^(?="):end-1] + ")")
		if err != nil {
			return nil, err
		}
		p.ahead = append(p.ahead, lookahead{ahead, rest[3] == '='})
		rest = "^" + rest[end:]
	}
	var err error
	if p.main, err = regexp.Compile(rest); err != nil {
		return nil, fmt.Errorf("not a pattern that Go can match: %w", err)
	}
	return p, nil
}

// jsPattern matches where main does and every lookahead says so.
type jsPattern struct {
	source string
	ahead  []lookahead
	main   *regexp.Regexp
}

type lookahead struct {
	re   *regexp.Regexp
	want bool
}

func (p *jsPattern) String() string { return p.source }

func (p *jsPattern) MatchString(s string) bool {
	for _, a := range p.ahead {
		if a.re.MatchString(s) != a.want {
			return false
		}
	}
	return p.main.MatchString(s)
}

// translateUnicode writes \uXXXX as \x{XXXX}.
func translateUnicode(pattern string) string {
	if !strings.Contains(pattern, `\u`) {
		return pattern
	}
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] != '\\' || i+1 == len(pattern):
			b.WriteByte(pattern[i])
		case pattern[i+1] == 'u' && i+6 <= len(pattern) && pattern[i+2] != '{':
			b.WriteString(`\x{` + pattern[i+2:i+6] + `}`)
			i += 5
		default:
			b.WriteString(pattern[i : i+2])
			i++
		}
	}
	return b.String()
}

// groupEnd returns the index after the group that begins at start, -1 if it does not end.
func groupEnd(pattern string, start int) int {
	depth := 0
	end := -1
	eachSyntax(pattern[start:], func(i int, c byte) bool {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			end = start + i + 1
		}
		return depth > 0
	})
	return end
}

// hasAlternatives reports whether a pattern has a | outside of groups: a lookahead
// before it belongs to the first alternative only.
func hasAlternatives(pattern string) bool {
	depth, found := 0, false
	eachSyntax(pattern, func(_ int, c byte) bool {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case '|':
			found = found || depth == 0
		}
		return !found
	})
	return found
}

// eachSyntax calls yield for every byte that is neither escaped nor in a class.
func eachSyntax(pattern string, yield func(i int, c byte) bool) {
	class := false
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		default:
			if !yield(i, c) {
				return
			}
		}
	}
}
