package protocol

import "unicode/utf8"

// replaceInvalidUTF8 returns a copy of data in which U+FFFD replaces the bytes that are not
// UTF-8: once for each maximal part of a sequence, as the WHATWG's decoder does.
func replaceInvalidUTF8(data []byte) []byte {
	clean := make([]byte, 0, len(data)+len(data)/8)
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			for size < len(data) && !utf8.FullRune(data[:size+1]) { // still the beginning of a sequence
				size++
			}
		}
		clean = utf8.AppendRune(clean, r)
		data = data[size:]
	}
	return clean
}
