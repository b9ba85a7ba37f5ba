package schema

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPatterns(t *testing.T) {
	for pattern, c := range map[string]struct{ match, no []string }{
		`^a+$`:                               {[]string{"a"}, []string{"", "b", "a\n"}},
		`^(?!\.)(?!.*\.\.)([a-z.]*)[a-z]@x$`: {[]string{"a@x", "a.b@x"}, []string{".a@x", "a..b@x", "a.@x"}},
		`^(?=.{1,5}$)[a-z]+`:                 {[]string{"a", "abcde"}, []string{"", "abcdef", "1"}},
		`^(?=a)(?!ab)`:                       {[]string{"a", "ac"}, []string{"ab", "b", ""}},
		`^(?!a|b)[a-z]`:                      {[]string{"c"}, []string{"a", "b"}},
		`^(?![)(a])x`:                        {[]string{"x"}, []string{"a"}},
		`^(?!\))x(y|z)$`:                     {[]string{"xy"}, []string{"x", ")xy"}},
		`^\u00e9\u0041$`:                     {[]string{"éA"}, []string{"A"}},
		`\\u0041`:                            {[]string{`\u0041`}, []string{"A"}},
		`^(?:(?=a)?b)$`:                      {},
		`^(?!a)b|c$`:                         {},
		`(?<!a)b`:                            {},
		`(a)\1`:                              {},
		`^(?=`:                               {},
		`\u00`:                               {},
		`\`:                                  {},
		`^(?!(x)`:                            {},
		`\p{Extended_Pictographic}`:          {},
	} {
		p, err := compilePattern(pattern)
		if c.match == nil {
			assert.Error(t, err, pattern)
			continue
		}
		require.NoError(t, err, pattern)
		assert.Equal(t, pattern, p.String())
		for _, s := range c.match {
			assert.True(t, p.MatchString(s), "%s %q", pattern, s)
		}
		for _, s := range c.no {
			assert.False(t, p.MatchString(s), "%s %q", pattern, s)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, pattern := range []string{`^(?!a)(?=b(c|d)[)])e`, `\u0041`, `^(?=`, `[`, `^(?!\`} {
		f.Add(pattern, "text")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if p, err := compilePattern(pattern); err == nil && !strings.Contains(pattern, "{") {
			p.MatchString(text)
		}
	})
}
