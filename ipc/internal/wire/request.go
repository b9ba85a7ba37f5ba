package wire

import (
	"net/http"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

// appendRequest appends what a worker gets of the HTTP request: method, URL and all headers, repeated
// ones as Node.js joins them, with this request id in the place of the caller's.
func appendRequest(dst []byte, method, target, host string, header http.Header, requestID string) []byte {
	dst = appendMember(dst, `,"method":`, method)
	dst = appendMember(dst, `,"url":`, target)
	if header == nil {
		return dst
	}
	dst = append(dst, `,"headers":"`...)
	first := true
	field := func(name, value string) {
		if !first {
			dst = append(dst, `\n`...)
		}
		first = false
		start := len(dst)
		dst = appendEscaped(dst, name, decodeLatin1)
		lower(dst[start:])
		dst = append(dst, `\n`...)
		dst = appendEscaped(dst, value, decodeLatin1)
	}
	if host != "" {
		field("host", host)
	}
	for name := range header {
		if name == protocol.HeaderRequestID && requestID != "" {
			continue
		}
		field(name, nodeHeader(header, name))
	}
	if requestID != "" {
		field(protocol.HeaderRequestID, requestID)
	}
	return append(dst, '"')
}

// lower makes ASCII text lower case.
func lower(text []byte) {
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			text[i] = c | 0x20
		}
	}
}

// once has the headers of which Node.js keeps only the first value.
var once = map[string]bool{
	"Age": true, "Authorization": true, "Content-Length": true, "Content-Type": true, "Etag": true, "Expires": true, "From": true,
	"If-Modified-Since": true, "If-Unmodified-Since": true, "Last-Modified": true, "Location": true, "Max-Forwards": true,
	"Proxy-Authorization": true, "Referer": true, "Retry-After": true, "Server": true, "User-Agent": true,
}

// nodeHeader returns the value of a header as a Node.js server shows it to a program.
func nodeHeader(h http.Header, name string) string {
	values := h[name]
	switch {
	case len(values) > 1 && once[name]:
		return values[0]
	case name == "Cookie":
		return strings.Join(values, "; ")
	}
	return protocol.CombinedHeader(h, name)
}

// decodeLatin1 reads a header's bytes as Node.js reads them.
func decodeLatin1(s string) (rune, int) { return rune(s[0]), 1 }

// encodeLatin1 writes a header's value as Node.js writes it, a byte a character.
func encodeLatin1(s string) string {
	encoded := make([]byte, 0, len(s))
	for _, r := range s {
		encoded = append(encoded, byte(min(r, 0xff))) // the worker refuses other characters
	}
	return string(encoded)
}
