package text

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func readLines(t *testing.T, r io.Reader, max int) (lines []string, cuts []int64) {
	t.Helper()
	reader := NewLineReader(r, max)
	for {
		line, cut, err := reader.Next()
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			return lines, cuts
		}
		lines, cuts = append(lines, string(line)), append(cuts, cut)
	}
}

func TestLineReader(t *testing.T) {
	big := strings.Repeat("x", lineBuffer)
	for name, c := range map[string]struct {
		in    string
		max   int
		lines []string
		cuts  []int64
	}{
		"nothing":                  {"", 10, nil, nil},
		"lines":                    {"a\n\nb\n", 10, []string{"a", "", "b"}, []int64{0, 0, 0}},
		"no line break at the end": {"a\nb", 10, []string{"a", "b"}, []int64{0, 0}},
		"exactly the limit":        {"12345\n", 5, []string{"12345"}, []int64{0}},
		"over the limit":           {"1234567\nb\n", 5, []string{"12345", "b"}, []int64{2, 0}},
		"the buffer's size":        {big + "\nb", 1 << 20, []string{big, "b"}, []int64{0, 0}},
		"three buffers":            {big + big + big + "y\nb\n", 1 << 20, []string{big + big + big + "y", "b"}, []int64{0, 0}},
		"three buffers, cut":       {big + big + big + "\nb\n", lineBuffer + 1, []string{big + "x", "b"}, []int64{2*lineBuffer - 1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in)), iotest.DataErrReader(strings.NewReader(c.in))} {
				lines, cuts := readLines(t, r, c.max)
				assert.Equal(t, c.lines, lines)
				assert.Equal(t, c.cuts, cuts)
			}
		})
	}
}

func TestLineReaderReturnsTheError(t *testing.T) {
	broken := errors.New("broken")
	reader := NewLineReader(io.MultiReader(strings.NewReader("a\nhalf"), iotest.ErrReader(broken)), 10)
	for _, want := range []string{"a", "half"} {
		line, _, err := reader.Next()
		require.NoError(t, err)
		assert.Equal(t, want, string(line))
	}
	_, _, err := reader.Next()
	assert.ErrorIs(t, err, broken)
}

func FuzzLineReader(f *testing.F) {
	f.Add([]byte("a\nbb\n\nccc"), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, limit uint8) {
		max := int(limit) + 1
		lines, cuts := readLines(t, bytes.NewReader(data), max)
		want := strings.Split(string(data), "\n")
		if want[len(want)-1] == "" {
			want = want[:len(want)-1]
		}
		require.Len(t, lines, len(want))
		for i, line := range want {
			keep := min(max, len(line))
			require.Equal(t, line[:keep], lines[i])
			require.EqualValues(t, len(line)-keep, cuts[i])
		}
	})
}
