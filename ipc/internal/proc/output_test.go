package proc

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOutputKeepsTheEnd(t *testing.T) {
	o := NewOutput(slog.New(slog.DiscardHandler), 1, nil)
	for n := range 10_000 {
		o.Add("stderr", fmt.Appendf(nil, "line %d", n), 0)
		o.Add("stdout", []byte("not this"), 0)
		if n%100 == 0 {
			o.lines, o.text = nil, nil
		}
	}
	last := o.Tail()
	assert.LessOrEqual(t, len(last), maxTail)
	assert.True(t, strings.HasSuffix(last, "line 9998\nline 9999\n"))
	assert.NotContains(t, last, "not this")
	o.Add("stderr", []byte(strings.Repeat("x", 1<<20)), 0)
	assert.LessOrEqual(t, len(o.Tail()), maxTail)
}
