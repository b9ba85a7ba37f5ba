package schema

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

// steppingClock is a time that goes on by a step each time that somebody looks.
type steppingClock struct {
	at   time.Time
	step time.Duration
}

func (c *steppingClock) now() time.Time {
	c.at = c.at.Add(c.step)
	return c.at
}

// onClock makes the only lane of a task's schema look at another clock.
func onClock(t *testing.T, set *Set, clock *steppingClock) {
	t.Helper()
	v := set.inputs[protocol.KindTask]["a"]
	l, err := v.acquire(t.Context())
	require.NoError(t, err)
	clock.at = time.Unix(1, 0)
	l.patternTime.now = clock.now
	v.release(l)
}

// Each way of matching a pattern is given up when its time is over, and what was not
// found then is refused, even where it is not to be found.
func TestPatternsAreGivenUp(t *testing.T) {
	text, err := json.Marshal(strings.Repeat("ab", 1<<20)) // 2 MiB
	require.NoError(t, err)
	shorter := append(text[:1<<17+1:1<<17+1], '"')
	for name, pattern := range map[string]string{
		"linear":                `^(?:a|b|c)*$`,
		"a lookahead in front":  `^(?=[a-c]*$)[ab]*$`,
		"a lookahead elsewhere": `^(?:a(?=b)|b)*$`,
		"a back reference":      `^(?:(a)b){5}(?:\1b)*$`,
	} {
		t.Run(name, func(t *testing.T) {
			encoded, err := json.Marshal(pattern)
			require.NoError(t, err)
			var log bytes.Buffer
			options := Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
			for _, c := range []struct {
				schema string
				step   time.Duration
				want   string
			}{
				{`{"pattern":` + string(encoded) + `}`, 0, ""},
				{`{"pattern":` + string(encoded) + `}`, usualPatternTime/2 + 1, ": must match the pattern " + pattern},
				{`{"not":{"pattern":` + string(encoded) + `}}`, usualPatternTime/2 + 1, ": takes too long to be checked"},
				{`{"pattern":` + string(encoded) + `}`, patternShare*usualPatternTime + 1, ": takes too long to be checked"},
			} {
				set, err := Compile(Sources{Tasks: map[string]any{"a": []byte(c.schema)}, Options: options})
				require.NoError(t, err)
				onClock(t, set, &steppingClock{step: c.step})
				log.Reset()
				call := &protocol.Call{ID: "a", Payload: text}
				if c.want == "" {
					call.Payload = shorter
				}
				got := issuesOfError(t, set.Check(t.Context(), call))
				assert.Equal(t, c.want, got)
				if c.want != "" {
					assert.Contains(t, log.String(), "a pattern took too long")
					assert.Contains(t, log.String(), "bytes=2097152")
				} else {
					assert.Empty(t, log.String())
				}
			}
		})
	}
}

// Many matches, each of them short, are bounded as well.
func TestAllPatternsOfACheckAreBounded(t *testing.T) {
	set, err := Compile(Sources{Tasks: map[string]any{"a": []byte(`{"items":{"pattern":"^(?!b)a$"}}`)}})
	require.NoError(t, err)
	items := `["a"` + strings.Repeat(`,"a"`, 999) + `]`
	call := &protocol.Call{ID: "a", Payload: []byte(items)}
	onClock(t, set, &steppingClock{})
	require.NoError(t, set.Check(t.Context(), call))
	onClock(t, set, &steppingClock{step: usualPatternTime})
	assert.Equal(t, ": takes too long to be checked", issuesOfError(t, set.Check(t.Context(), call)))
}

func TestGivenPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		is            bool
	}{
		{`^\\S+$`, "\u00a0", false},
		{`^\\S+$`, "\v", false},
		{`^\\s+$`, "\u3000", true},
		{`^\\ud83d\\ude42$`, "🙂", true},
		{`^[\\ud83d\\ude42]+$`, "🙂", true},
		{`^\\S[\\s\\S]*\\S$|^\\S$|^$`, "\u00a0", false},
	} {
		text, err := json.Marshal(c.text)
		require.NoError(t, err)
		assert.Equal(t, c.is, issuesFor(t, `{"type":"string","pattern":"`+c.pattern+`"}`, string(text)) == "", c.pattern)
	}
}
