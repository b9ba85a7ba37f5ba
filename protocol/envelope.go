package protocol

import (
	"fmt"

	"github.com/goccy/go-json"
)

// Undefined is the form of an absent value (JavaScript's undefined) on the wire. A Runner client
// sends it for a task called without input.
const Undefined = `{"__type":"Undefined","value":null}`

// errorBody is the error object of the envelope, in the order of the wire.
type errorBody struct {
	Message  string          `json:"message"`
	Code     any             `json:"code"`
	CodeName Code            `json:"codeName,omitempty"`
	ID       string          `json:"id,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`
	HTTPCode int             `json:"httpCode,omitempty"`
}

// Envelope returns the body of an answer with e. With numericCodes it has the older form of
// the 4.x policy: the HTTP status as code, and the code as codeName. The error means that
// Data cannot be encoded.
func (e *Error) Envelope(numericCodes bool) ([]byte, error) {
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

// encode returns v as JavaScript writes it: <, > and & are not escaped.
func encode(v any) ([]byte, error) {
	return json.MarshalWithOption(v, json.DisableHTMLEscape())
}
