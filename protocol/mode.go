package protocol

import (
	"net/http"
	"strings"
)

// BodyMode is how the body of a task is to be read.
type BodyMode uint8

// The modes of the protocol. Events are always JSON.
const (
	BodyJSON BodyMode = iota
	BodyMultipart
	BodyStream
)

// BodyModeOf returns the mode that a request's Content-Type selects: multipart if it
// names multipart/form-data anywhere, a stream if it is application/octet-stream,
// JSON in all other cases, an absent one included. Of several headers the first
// counts.
func BodyModeOf(h http.Header) BodyMode {
	contentType := strings.ToLower(h.Get("Content-Type"))
	if strings.Contains(contentType, "multipart/form-data") {
		return BodyMultipart
	}
	if rest, ok := strings.CutPrefix(contentType, "application/octet-stream"); ok && (rest == "" || rest[0] == ';') {
		return BodyStream
	}
	return BodyJSON
}
