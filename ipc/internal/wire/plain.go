package wire

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol"
)

// AppendPlainCall appends a call as one line of the plain wire, with its context if withContext is
// true. The identity is a JSON document, nil for none.
func AppendPlainCall(dst []byte, id uint64, call *protocol.Call, withContext bool, identity []byte) []byte {
	idKey, payloadKey := `,"taskId":`, `,"input":`
	if call.Kind == protocol.KindEvent {
		idKey, payloadKey = `,"eventId":`, `,"payload":`
	}
	dst = append(dst, `{"type":"`...)
	dst = append(dst, call.Kind.String()...)
	dst = append(dst, `","id":`...)
	dst = strconv.AppendUint(dst, id, 10)
	dst = append(dst, idKey...)
	dst = appendString(dst, call.ID)
	if withContext {
		dst = append(dst, `,"requestId":`...)
		dst = appendString(dst, call.RequestID)
		if identity != nil {
			dst = append(dst, `,"identity":`...)
			dst = appendOneLine(dst, identity)
		}
	}
	if call.Payload != nil {
		dst = append(dst, payloadKey...)
		dst = appendOneLine(dst, call.Payload)
	}
	return append(dst, "}\n"...)
}

// appendOneLine appends a valid JSON document as a part of a line. It drops the line breaks between
// tokens, and escapes U+2028 and U+2029 in strings, at which some readers end a line (such as the
// readline of newer Node.js versions).
func appendOneLine(dst, doc []byte) []byte {
	if bytes.IndexByte(doc, '\n') < 0 && bytes.IndexByte(doc, '\r') < 0 && !bytes.Contains(doc, []byte("\xe2\x80")) {
		return append(dst, doc...)
	}
	for len(doc) > 0 {
		switch {
		case doc[0] == '\n' || doc[0] == '\r':
			doc = doc[1:]
		case bytes.HasPrefix(doc, []byte("\u2028")):
			dst, doc = append(dst, `\u2028`...), doc[3:]
		case bytes.HasPrefix(doc, []byte("\u2029")):
			dst, doc = append(dst, `\u2029`...), doc[3:]
		default:
			dst, doc = append(dst, doc[0]), doc[1:]
		}
	}
	return dst
}

// appendString appends s as a JSON string without line breaks.
func appendString(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, err := json.MarshalWithOption(s, json.DisableHTMLEscape())
			if err != nil {
				panic(err) // every string can be encoded
			}
			return appendOneLine(dst, quoted)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}
