package protocol

import (
	"net/http"
	"strings"
)

// BodyMode is the way to read the body of a task.
type BodyMode uint8

// The modes of the protocol. Events are always JSON.
const (
	BodyJSON BodyMode = iota
	BodyMultipart
	BodyStream
)

// BodyModeOf returns the mode that a request's Content-Type selects: multipart if it
// contains multipart/form-data anywhere, a stream if it is application/octet-stream, and
// JSON in all other cases, also without the header. If there are several, the first counts.
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
