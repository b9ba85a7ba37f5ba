package protocol

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/goccy/go-json"
)

// Undefined is how an absent value (JavaScript's undefined) is written where the
// wire needs one. It is what a Runner client sends for a task called without input.
const Undefined = `{"__type":"Undefined","value":null}`

var undefined = []byte(Undefined)

const (
	okOnly   = `{"ok":true}`
	okPrefix = `{"ok":true,"result":`
	okSuffix = `}`
)

// WriteResult answers 200 with value, one valid JSON document, as the result; nil
// is answered as Undefined. As of all that answer here, an error of the connection is an
// *Error, 499 since the caller has left, but for those of deadlines of the server.
func WriteResult(w http.ResponseWriter, value []byte) error {
	if value == nil {
		value = undefined
	}
	writeHeader(w, http.StatusOK, len(okPrefix)+len(value)+len(okSuffix))
	// Three writes and no copy: net/http gathers small ones in its own buffer.
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

// errorBody is the error object of the envelope, in the order of the wire.
type errorBody struct {
	Message  string          `json:"message"`
	Code     any             `json:"code"`
	CodeName Code            `json:"codeName,omitempty"`
	ID       string          `json:"id,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`
	HTTPCode int             `json:"httpCode,omitempty"`
}

// WriteError answers with the envelope of e. With numericCodes it has the older
// form of the 4.x policy: the HTTP status as code, and the code as codeName. Data
// that cannot be encoded gives a plain internal error to the caller, and the reason
// is returned.
func WriteError(w http.ResponseWriter, e *Error, numericCodes bool) error {
	envelope, encodeErr := e.envelope(numericCodes)
	if encodeErr != nil {
		e = &Error{}
		envelope, _ = e.envelope(numericCodes)
	}
	if seconds := e.retryAfter(); seconds > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	writeHeader(w, e.Status(), len(envelope))
	if _, err := w.Write(envelope); err != nil {
		return errors.Join(encodeErr, sendError(err))
	}
	return encodeErr
}

func (e *Error) envelope(numericCodes bool) ([]byte, error) {
	body := errorBody{Message: e.message(), Code: e.code(), ID: e.ID}
	if e.HTTPCode >= 100 && e.HTTPCode <= 599 {
		body.HTTPCode = e.HTTPCode
	}
	if numericCodes {
		body.Code, body.CodeName = e.Status(), e.code()
	}
	if e.Data != nil {
		data, err := encode(e.Data)
		if err != nil {
			return nil, fmt.Errorf("encode the data of error %s: %w", e.ID, err)
		}
		body.Data = data
	}
	return encode(struct {
		OK    bool      `json:"ok"`
		Error errorBody `json:"error"`
	}{Error: body})
}

func writeHeader(w http.ResponseWriter, status, length int) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(length)}
	w.WriteHeader(status)
}

// encode returns v as JSON in JavaScript's spelling: <, > and & are not escaped.
func encode(v any) ([]byte, error) {
	return json.MarshalWithOption(v, json.DisableHTMLEscape())
}
