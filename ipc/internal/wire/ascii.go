package wire

import (
	"unicode/utf16"
	"unicode/utf8"
)

// appendMember appends a member that is left out if it is empty.
func appendMember(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	return appendASCII(append(dst, key...), value, utf8.DecodeRuneInString)
}

// appendASCII appends s as a JSON string of ASCII characters alone: towards a worker a
// byte is a character, so that it can decode a whole chunk at once. Decode says how
// the bytes of s are to be read.
func appendASCII(dst []byte, s string, decode func(string) (rune, int)) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s, decode)
	return append(dst, '"')
}

func appendEscaped(dst []byte, s string, decode func(string) (rune, int)) []byte {
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; ' ' <= c && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		r, size := decode(s[i:])
		i += size
		start = i
		if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
			dst = appendUnit(dst, high)
			r = low
		}
		dst = appendUnit(dst, r)
	}
	return append(dst, s[start:]...)
}

func appendUnit(dst []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// appendASCIIDocument appends a valid JSON document on one line, in ASCII.
func appendASCIIDocument(dst, doc []byte) []byte {
	for i := 0; i < len(doc); {
		switch c := doc[i]; {
		case c == '\n' || c == '\r':
			i++
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, size := utf8.DecodeRune(doc[i:])
			dst = appendEscaped(dst, string(r), utf8.DecodeRuneInString)
			i += size
		}
	}
	return dst
}
