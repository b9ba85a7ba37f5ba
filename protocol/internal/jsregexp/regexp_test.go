package jsregexp

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Which way a pattern takes.
func TestWays(t *testing.T) {
	for pattern, want := range map[string]string{
		`^a+$`:                     "linear",
		`^(?!-)(?=.{1,9}$)[a-z-]+`: "linear",
		`(?<x>a)|[^]`:              "linear",
		`\p{L}{1,900}`:             "linear",
		`a(?=b)`:                   "scan",
		`(?<!a)b`:                  "scan",
		`^(?=a(?!b))a`:             "scan",
		`^(?=a)b|c`:                "scan",
		`a{1001}`:                  "scan",
		`(a)\1`:                    "program",
		`^(?=(a))\1`:               "program",
	} {
		r, err := Compile(pattern)
		require.NoError(t, err, pattern)
		got := "linear"
		if r.scan != nil {
			got = "scan"
		}
		if r.program != nil {
			got = "program"
		}
		assert.Equal(t, want, got, pattern)
		assert.Equal(t, got != "program", r.Linear())
		assert.Equal(t, pattern, r.String())
	}
}

func TestRefusedPatterns(t *testing.T) {
	for pattern, want := range map[string]string{
		`(`:        "not a regular expression of JavaScript with flag u: a group without an end",
		`)`:        "a bracket that nothing opens",
		`a{2,1}`:   "a count out of order",
		`(?=a)?`:   "an assertion that is repeated",
		`\1`:       "a reference to no group",
		`(?i)a`:    "a group of no kind",
		`[z-a]`:    "a range out of order",
		`[\d-z]`:   "a range out of order",
		`\p{L=1}`:  "a property of no character",
		`\A`:       "an escape of nothing",
		`[`:        "a class without an end",
		`\u{1`:     `\u without a number`,
		`(?<1>)`:   "a name of no group",
		`a{1`:      "a brace that is no count",
		`?`:        "nothing is to be repeated",
		`(?<a>x)y`: "",
		strings.Repeat("(", 1001) + strings.Repeat(")", 1001):                  "too many groups",
		`(?=a)` + strings.Repeat("a{999}", 270):                                "too large",
		`(?=a)(?:(?:(?:a{1000}){1000}){1000}){1000}`:                           "too large",
		`(?=a)` + strings.Repeat("(?:", 20) + strings.Repeat("){1000000}", 20): "", // nothing, however often
		`(?=a)(?:(?:x?){1,9}){1,9}`:                                            "",
	} {
		_, err := Compile(pattern)
		if want == "" {
			assert.NoError(t, err, pattern)
			continue
		}
		assert.ErrorContains(t, err, want, pattern)
	}
}

// A match that is stopped ends at once, and the next one is not disturbed.
func TestStop(t *testing.T) {
	text := strings.Repeat("ab", 1<<19)
	for _, pattern := range []string{`^(?:a|b|c)*$`, `^(?=[abc]*$)[ab]*$`, `^(?:a(?=b)|b)*$`, `^(?:(a)b){2}(?:\1b)*$`} {
		r, err := Compile(pattern)
		require.NoError(t, err)
		for _, last := range []int{1, 2, 3} {
			asked := 0
			found, err := r.Match(text, func() bool { asked++; return asked >= last })
			assert.False(t, found)
			require.ErrorIs(t, err, ErrStopped, pattern)
			assert.Equal(t, last, asked, "it asks no more")
		}
		found, err := r.Match(text, never)
		require.NoError(t, err)
		assert.True(t, found, pattern)
		short := 0
		_, err = r.Match("ab", func() bool { short++; return true })
		require.NoError(t, err)
		assert.Zero(t, short, "short matches are not watched")
	}
}

// A match with back references that needs more memory than it may have is stopped.
func TestStack(t *testing.T) {
	r, err := Compile(`^(?:(a)|b)*\1c$`)
	require.NoError(t, err)
	found, err := r.Match(strings.Repeat("ab", 1<<20), never)
	assert.False(t, found)
	assert.ErrorIs(t, err, ErrStopped)
}

// Long texts are read from a reader.
func TestLongTexts(t *testing.T) {
	for _, pattern := range patterns {
		r, err := Compile(pattern)
		if err != nil || r.linear == nil {
			continue
		}
		long := &linear{r.linear.re, unwatched}
		for _, text := range texts {
			found, err := long.match(text+"x", never)
			require.NoError(t, err)
			assert.Equal(t, r.linear.re.MatchString(text+"x"), found, "%q on %q", pattern, text)
		}
	}
}

// A large count is no reason to refuse a pattern.
func TestLargeCounts(t *testing.T) {
	for pattern, length := range map[string]int{`^[^]{0,100000}$`: 100_000, `^(?:[a-z]{1000}){1,100}$`: 100_000, `^.{1500,2000}$`: 2000} {
		r, err := Compile(pattern)
		require.NoError(t, err)
		for _, more := range []int{0, 1} {
			found, err := r.Match(strings.Repeat("a", length+more), never)
			require.NoError(t, err)
			assert.Equal(t, more == 0, found, pattern)
		}
	}
}

func TestProperties(t *testing.T) {
	for name, c := range map[string]struct{ is, no rune }{
		"L": {'a', '1'}, "Letter": {'é', ' '}, "gc=Nd": {'1', 'a'}, "General_Category=Lu": {'A', 'a'}, "Script=Greek": {'α', 'a'},
		"sc=Latn": {'a', 'α'}, "scx=Hira": {0x30fc, 'a'}, "Emoji": {'🙂', 'a'}, "ASCII": {'a', 'é'}, "Cn": {0x378, 'a'},
	} {
		found, ok := property(name)
		require.True(t, ok, name)
		assert.True(t, found.has(c.is), name)
		assert.False(t, found.has(c.no), name)
		assert.Equal(t, found, found.not().not())
	}
	for _, name := range []string{"", "L ", "l", "gc", "gc=", "sc=L", "Lu,Uppercase_Letter", "L: 1", "b", "Script", "Any=1", "RGI_Emoji"} {
		_, ok := property(name)
		assert.False(t, ok, name)
	}
}

func TestSets(t *testing.T) {
	s := union(set{{'c', 'e'}, {'x', 'x'}}, set{{'a', 'b'}}, set{{'d', 'g'}})
	assert.Equal(t, set{{'a', 'g'}, {'x', 'x'}}, s)
	assert.Empty(t, anything.not())
	assert.Equal(t, anything, set{}.not())
	assert.False(t, s.has('h'))
	assert.True(t, s.has('g'))
}
