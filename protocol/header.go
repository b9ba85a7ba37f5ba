package protocol

import (
	"net/http"
	"strings"
)

// Names of the headers that the protocol defines (those that workers get are in package
// ipc/internal/wire: request.go), in Go's canonical spelling.
const (
	// HeaderToken has the token unless the server is configured otherwise.
	HeaderToken = "X-Runner-Token"
	// HeaderRequestID correlates a request with logs on both sides.
	HeaderRequestID = "X-Runner-Request-Id"
)

// CombinedHeader returns the value of a header that must occur once. The values of a repeated
// header are joined by ", ", as in a Node.js server, so that a repeated header matches nothing.
// Name must be in canonical spelling.
func CombinedHeader(h http.Header, name string) string {
	switch values := h[name]; len(values) {
	case 0:
		return ""
	case 1:
		return values[0]
	default:
		return strings.Join(values, ", ")
	}
}
