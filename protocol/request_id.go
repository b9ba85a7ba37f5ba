package protocol

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
)

// maxRequestID is the length of the longest request id that a caller may choose.
const maxRequestID = 128

// RequestID returns the id of a request with the header h. It is the caller's own if that
// has 1 to 128 characters of A-Z a-z 0-9 . _ : -, and otherwise a new random UUID.
func RequestID(h http.Header) string {
	id := strings.Trim(CombinedHeader(h, HeaderRequestID), " \t")
	if id == "" || len(id) > maxRequestID {
		return newUUID()
	}
	for i := 0; i < len(id); i++ {
		switch c := id[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', c == '.', c == '_', c == ':', c == '-':
		default:
			return newUUID()
		}
	}
	return id
}

// newUUID returns a random (version 4) UUID in lower case.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, by its documentation
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[0:8], b[0:4])
	hex.Encode(text[9:13], b[4:6])
	hex.Encode(text[14:18], b[6:8])
	hex.Encode(text[19:23], b[8:10])
	hex.Encode(text[24:36], b[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}
