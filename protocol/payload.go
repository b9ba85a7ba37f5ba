package protocol

import (
	"bytes"
	"unicode/utf8"

	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

// ParsePayload checks a JSON body and finds the payload of a call of kind in it:
//
//   - no body: no payload
//   - a task: the value of the root's member "input"; without it the whole document
//   - an event: the value of the root's member "payload"; without it there is none
//
// If a member is there twice, the last one counts. Undefined means no payload. Bytes that are not
// UTF-8 are replaced by U+FFFD. The payload is a part of body unless that was necessary, and nil
// if there is none. ReturnPayload reports whether an event's member "returnPayload" is true to
// JavaScript.
//
// The error is a 400 *Error for a body that is not JSON or is nested deeper than MaxDepth.
func ParsePayload(kind Kind, body []byte) (payload []byte, returnPayload bool, err error) {
	if len(body) == 0 {
		return nil, false, nil
	}
	if !utf8.Valid(body) {
		body = replaceInvalidUTF8(body)
	}
	member := func(name, value []byte) {
		switch {
		case kind == KindTask && string(name) == "input", kind == KindEvent && string(name) == "payload":
			payload = value
		case kind == KindEvent && string(name) == "returnPayload":
			returnPayload = truthy(value) && !IsUndefined(value)
		}
	}
	if err := rawjson.Members(body, MaxDepth, member); err != nil {
		return nil, false, &Error{Code: CodeInvalidJSON, Err: err}
	}
	if payload == nil && kind == KindTask {
		payload = bytes.TrimSpace(body)
	}
	if IsUndefined(payload) {
		payload = nil
	}
	return payload, returnPayload, nil
}

// IsUndefined reports whether a valid JSON value is Undefined. White space and the order of
// members do not matter.
func IsUndefined(value []byte) bool {
	if len(value) > 2*len(Undefined) || !bytes.HasPrefix(value, []byte("{")) || !bytes.Contains(value, []byte(`"Undefined"`)) {
		return false
	}
	var typed, hasValue bool
	err := rawjson.Members(value, MaxDepth, func(name, value []byte) {
		switch string(name) {
		case "__type":
			typed = string(value) == `"Undefined"`
		case "value":
			hasValue = true
		}
	})
	return err == nil && typed && hasValue
}

// truthy reports whether a valid JSON value is true to JavaScript.
func truthy(value []byte) bool {
	switch value[0] {
	case 'f', 'n':
		return false
	case '"':
		return len(value) > len(`""`)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		digits, _, _ := bytes.Cut(bytes.ToLower(value), []byte("e"))
		return bytes.ContainsAny(digits, "123456789")
	}
	return true
}
