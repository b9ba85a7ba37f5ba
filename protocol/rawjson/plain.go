package rawjson

import (
	"encoding/binary"
	"math/bits"
)

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// plain returns the index of the first byte from i on that is not an ordinary string byte: a
// quote, a backslash or a control character. It compares eight bytes at a time, since strings are
// nearly all of a large document.
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

// specials sets the high bit of the lowest special byte in word, and maybe of bytes above it, but
// never of a byte below it. The usual test for zero bytes reports a wrong byte only above a right
// one, so the lowest is exact.
func specials(word uint64) uint64 {
	quote := word ^ lowBits*'"'
	slash := word ^ lowBits*'\\'
	control := (word - lowBits*' ') & ^word
	return (control | (quote-lowBits) & ^quote | (slash-lowBits) & ^slash) & highBits
}
