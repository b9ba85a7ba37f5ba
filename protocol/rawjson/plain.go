package rawjson

import (
	"encoding/binary"
	"math/bits"
)

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// plain returns the index of the first byte from i on that ends a run of ordinary
// string bytes: a quote, a backslash or a control character. It looks at eight
// bytes at a time, since nearly all of a large document is inside strings.
func (s *scanner) plain(i int) int {
	for ; len(s.data)-i >= 8; i += 8 {
		if special := specials(binary.LittleEndian.Uint64(s.data[i:])); special != 0 {
			return i + bits.TrailingZeros64(special)/8
		}
	}
	for i < len(s.data) && s.data[i] >= ' ' && s.data[i] != '"' && s.data[i] != '\\' {
		i++
	}
	return i
}

// specials sets the high bit of the lowest byte in word that is special, and maybe
// of bytes above it, never of one below it. The usual zero-byte test may report a
// byte falsely only above a byte that it reports rightly, so the lowest is exact.
func specials(word uint64) uint64 {
	quote := word ^ lowBits*'"'
	slash := word ^ lowBits*'\\'
	control := (word - lowBits*' ') & ^word
	return (control | (quote-lowBits) & ^quote | (slash-lowBits) & ^slash) & highBits
}
