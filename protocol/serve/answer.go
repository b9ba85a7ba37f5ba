package serve

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/bluelibs/go-tunnel/protocol"
)

const (
	okOnly   = `{"ok":true}`
	okPrefix = `{"ok":true,"result":`
	okSuffix = `}`
)

// Shared header values. Their capacity is their length, so an Add elsewhere copies.
var (
	jsonType = []string{"application/json; charset=utf-8"}
	nosniff  = []string{"nosniff"}
	deny     = []string{"DENY"}
)

var undefined = []byte(protocol.Undefined)

// setSecurity sets the two headers that every answer has.
func setSecurity(h http.Header) {
	h["X-Content-Type-Options"] = nosniff
	h["X-Frame-Options"] = deny
}

// WriteResult answers 200 with value, one valid JSON document, as the result. Nil is
// answered as Undefined. An error of the connection is a *protocol.Error here, in WriteOK
// and in WriteError: 499, since the caller has left, unless a deadline of the server has
// passed.
func WriteResult(w http.ResponseWriter, value []byte) error {
	if value == nil {
		value = undefined
	}
	writeHeader(w, http.StatusOK, len(okPrefix)+len(value)+len(okSuffix))
	// Three writes and no copy: net/http collects small ones in its own buffer.
	if _, err := io.WriteString(w, okPrefix); err != nil {
		return sendError(err)
	}
	if _, err := w.Write(value); err != nil {
		return sendError(err)
	}
	if _, err := io.WriteString(w, okSuffix); err != nil {
		return sendError(err)
	}
	return nil
}

// WriteOK answers 200 without a result, as events do.
func WriteOK(w http.ResponseWriter) error {
	writeHeader(w, http.StatusOK, len(okOnly))
	if _, err := io.WriteString(w, okOnly); err != nil {
		return sendError(err)
	}
	return nil
}

// WriteError answers with the envelope of e, see [protocol.Error.Envelope]. If its Data
// cannot be encoded, the caller gets a plain internal error, and the reason is returned.
func WriteError(w http.ResponseWriter, e *protocol.Error, numericCodes bool) error {
	envelope, encodeErr := e.Envelope(numericCodes)
	if encodeErr != nil {
		e = &protocol.Error{}
		envelope, _ = e.Envelope(numericCodes)
	}
	if seconds := e.RetrySeconds(); seconds > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	writeHeader(w, e.Status(), len(envelope))
	if _, err := w.Write(envelope); err != nil {
		return errors.Join(encodeErr, sendError(err))
	}
	return encodeErr
}

func writeHeader(w http.ResponseWriter, status, length int) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(length)}
	w.WriteHeader(status)
}
