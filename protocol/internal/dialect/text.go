package dialect

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"
)

// String writes text as JSON.stringify does: it escapes nothing without need.
func (e *Encoder) String(text string) {
	const hex = "0123456789abcdef"
	e.buf = append(e.buf, '"')
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				e.buf = append(append(e.buf, text[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		i++
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		e.buf = append(append(e.buf, text[start:i-1]...), '\\')
		start = i
		switch c {
		case '"', '\\':
			e.buf = append(e.buf, c)
		case '\b':
			e.buf = append(e.buf, 'b')
		case '\f':
			e.buf = append(e.buf, 'f')
		case '\n':
			e.buf = append(e.buf, 'n')
		case '\r':
			e.buf = append(e.buf, 'r')
		case '\t':
			e.buf = append(e.buf, 't')
		default:
			e.buf = append(e.buf, 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	e.buf = append(append(e.buf, text[start:]...), '"')
}

// formatFloat returns a number as JavaScript writes it. Infinite numbers and NaN have no form.
func formatFloat(f float64, bits int) (string, bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "", false
	}
	if f == 0 {
		return "0", true // also for -0
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.FormatFloat(f, 'f', -1, bits), true
	}
	text := strconv.AppendFloat(nil, f, 'e', -1, bits)
	return string(bytes.Replace(text, []byte("e-0"), []byte("e-"), 1)), true // e-07 is e-7
}
