package client

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

// answer is an answer that was read to its end.
type answer struct {
	client      *Client
	status      int
	contentType string
	body        []byte
}

// readAnswer reads an answer within the client's limit, and closes it.
func (r *request) readAnswer(res *http.Response) (*answer, error) {
	defer res.Body.Close()
	a := &answer{client: r.client, status: res.StatusCode, contentType: res.Header.Get("Content-Type")}
	limit := r.client.maxResponse
	var body bytes.Buffer
	_, err := io.CopyN(&body, res.Body, limit)
	if err == nil { // the body reaches the limit: another byte is too much
		_, err = io.CopyN(&body, res.Body, 1)
	}
	a.body = body.Bytes()
	switch {
	case err == nil:
		return nil, a.bad("an answer over the limit", nil)
	case err != io.EOF:
		return nil, &TransportError{Err: r.withReaderError(err)}
	}
	if !utf8.Valid(a.body) { // JavaScript's clients do the same
		a.body = bytes.ToValidUTF8(a.body, []byte("\uFFFD"))
	}
	return a, nil
}

// result returns the result of the envelope, nil if it has none, or the error in it. Only the
// envelope's own ok means success: neither the status nor the content type do.
func (a *answer) result() (value []byte, err error) {
	var ok, failure []byte
	err = rawjson.Members(a.body, protocol.MaxDepth, func(name, member []byte) {
		switch string(name) {
		case "ok":
			ok = member
		case "result":
			value = member
		case "error":
			failure = member
		}
	})
	switch {
	case len(a.body) == 0:
		return nil, a.bad("an empty answer", nil)
	case err != nil:
		return nil, a.bad("an answer that is not JSON", err)
	case string(ok) == "true":
		return value, nil
	case string(ok) == "false":
		return nil, remoteError(failure)
	}
	return nil, a.bad("JSON that is not the protocol's", nil)
}

// remoteError returns the error in the error object of an envelope. It also understands the older
// form, a numeric code and its name, and an object with only a message.
func remoteError(object []byte) *protocol.Error {
	e := &protocol.Error{Code: CodeUnknown, Message: "The server gave no reason"}
	if text := str(object); text != "" {
		e.Message = text
	}
	var codeName string
	_ = rawjson.Members(object, protocol.MaxDepth, func(name, value []byte) {
		switch string(name) {
		case "message":
			if text := str(value); text != "" {
				e.Message = text
			}
		case "code":
			if text := str(value); text != "" {
				e.Code = protocol.Code(text)
			}
		case "codeName":
			codeName = str(value)
		case "id":
			e.ID = str(value)
		case "data":
			e.Data = json.RawMessage(value)
		case "httpCode":
			if code := 0; json.Unmarshal(value, &code) == nil && 100 <= code && code <= 599 {
				e.HTTPCode = code
			}
		}
	})
	if e.Code == CodeUnknown && codeName != "" {
		e.Code = protocol.Code(codeName)
	}
	return e
}

// str returns the value of a JSON string, "" for any other value.
func str(value []byte) (text string) {
	if bytes.HasPrefix(value, []byte(`"`)) {
		_ = json.Unmarshal(value, &text)
	}
	return text
}

// bad returns the error for an answer that cannot be used.
func (a *answer) bad(reason string, err error) *AnswerError {
	return &AnswerError{Reason: reason, Status: a.status, ContentType: a.contentType, Preview: a.preview(), Err: err}
}

// maxPreview is the length of a preview in bytes.
const maxPreview = 512

func (a *answer) preview() string {
	token := a.client.token
	text := string(a.body[:min(len(a.body), maxPreview+len(token))]) // a token that begins in the preview ends in text
	if token != "" {
		text = strings.ReplaceAll(text, token, "[token]")
	}
	return strings.ToValidUTF8(text[:min(len(text), maxPreview)], "")
}
