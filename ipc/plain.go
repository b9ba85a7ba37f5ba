package ipc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"unicode/utf8"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/ipc/internal/text"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

// plainContext is what Options.PlainContext adds to a message: whose call it is.
type plainContext struct {
	identity []byte // JSON, nil for none
}

// appendMessage appends a call as one line of the plain wire. About may be nil.
func appendMessage(dst []byte, id uint64, call *protocol.Call, about *plainContext) []byte {
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
	if about != nil {
		dst = append(dst, `,"requestId":`...)
		dst = appendString(dst, call.RequestID)
		if about.identity != nil {
			dst = append(dst, `,"identity":`...)
			dst = appendOneLine(dst, about.identity)
		}
	}
	if call.Payload != nil {
		dst = append(dst, payloadKey...)
		dst = appendOneLine(dst, call.Payload)
	}
	return append(dst, "}\n"...)
}

// appendOneLine appends a valid JSON document as a part of a line: without the line
// breaks between its tokens, and with U+2028 and U+2029, which stand in strings and
// end a line for some readers (the readline of newer Node.js versions among them),
// as escapes.
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
				panic(err) // a string can be encoded
			}
			return appendOneLine(dst, quoted)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// answer is what a worker says about a call.
type answer struct {
	id    uint64
	value []byte // a copy, nil if there is none
	err   error

	// On the framed wire:
	void   bool        // there is no result, and not even undefined
	n      int         // how many bytes with the value follow the line
	stream *streamHead // the result follows as a stream
}

// maxAnswerDepth allows a result as deep as a request may be, inside its line.
const maxAnswerDepth = protocol.MaxDepth + 1

// parseAnswer reads a line of a worker's output. It reports false for a line that is
// no answer.
func parseAnswer(line []byte) (answer, bool) {
	if len(line) == 0 || line[0] != '{' && line[0] != ' ' {
		return answer{}, false
	}
	var id, ok, result, failure, n, stream, void []byte
	err := rawjson.Members(line, maxAnswerDepth, func(name, value []byte) {
		switch string(name) {
		case "id":
			id = value
		case "ok":
			ok = value
		case "result":
			result = value
		case "error":
			failure = value
		case "n":
			n = value
		case "stream":
			stream = value
		case "void":
			void = value
		}
	})
	if err != nil {
		return answer{}, false
	}
	number, err := strconv.ParseUint(string(id), 10, 53)
	if err != nil || string(ok) != "true" && string(ok) != "false" {
		return answer{}, false
	}
	a := answer{id: number, void: string(void) == "true"}
	a.n, _ = strconv.Atoi(string(n))
	switch {
	case string(ok) == "false":
		a.err = parseFailure(failure)
	case string(stream) == "true":
		a.stream = &streamHead{}
		_ = json.Unmarshal(line, a.stream)
	case result != nil:
		if len(line) <= text.MaxShared {
			result = bytes.Clone(result)
		}
		a.value = text.ValidUTF8(result)
	}
	return a, true
}

var answerStart = regexp.MustCompile(`^\s*\{\s*"id"\s*:\s*(\d{1,16})\s*,\s*"ok"\s*:\s*(?:true|false)\s*[,}]`)

// brokenAnswer makes a failure of a line that begins as an answer and is none, being
// too long (by cut bytes, which are missing), nested too deep or no JSON: its call
// would otherwise wait for ever.
func brokenAnswer(line []byte, cut int64) (answer, bool) {
	start := answerStart.FindSubmatch(line)
	if start == nil {
		return answer{}, false
	}
	n, err := strconv.ParseUint(string(start[1]), 10, 53)
	if err != nil {
		return answer{}, false
	}
	if cut > 0 {
		return answer{id: n, err: tooLong(int64(len(line))+cut, len(line))}, true
	}
	err = rawjson.Check(line, maxAnswerDepth)
	return answer{id: n, err: fmt.Errorf("ipc: the worker's answer cannot be read: %w", err)}, true
}

// tooLong is the error of a call whose answer is longer than it may be.
func tooLong(size int64, limit int) error {
	return fmt.Errorf("ipc: the worker's answer has %d bytes, and Options.MaxMessage is %d: raise it, or let the task return a stream, which has no limit", size, limit)
}

// parseFailure makes an error of the error object in a worker's answer, nil if it
// has none. It is for the caller's eyes only if the worker shows that it means so;
// see the package documentation.
func parseFailure(object []byte) error {
	var e struct {
		message, code, codeName, id string
		data                        json.RawMessage
		httpCode                    int
	}
	_ = rawjson.Members(object, maxAnswerDepth, func(name, value []byte) {
		switch string(name) {
		case "message":
			e.message = text.Unquote(value)
		case "code":
			e.code = text.Unquote(value)
		case "codeName":
			e.codeName = text.Unquote(value)
		case "id":
			e.id = text.Unquote(value)
		case "data":
			e.data = text.ValidUTF8(bytes.Clone(value))
		case "httpCode":
			e.httpCode, _ = strconv.Atoi(string(value))
		}
	})
	if e.httpCode < 100 || e.httpCode > 599 {
		e.httpCode = 0
	}
	if e.codeName != "" {
		e.code = e.codeName
	}
	code := protocol.Code(e.code)
	if e.id == "" && e.httpCode == 0 && (!code.Known() || code == protocol.CodeInternal) {
		return errors.New("ipc: the worker reports: " + e.message)
	}
	failure := &protocol.Error{Code: code, Message: e.message, ID: e.id, HTTPCode: e.httpCode}
	if e.data != nil {
		failure.Data = e.data
	}
	return failure
}

// readPayload reads the bytes that an answer has announced, which are its value.
func readPayload(in *text.LineReader, a answer, max int) (answer, error) {
	if a.n > max {
		in.Skip(int64(a.n))
		a.err = tooLong(int64(a.n), max)
		return a, nil
	}
	a.value = make([]byte, a.n)
	if _, err := io.ReadFull(in, a.value); err != nil {
		return a, err
	}
	a.value = text.ValidUTF8(a.value)
	if err := rawjson.Check(a.value, maxAnswerDepth); err != nil {
		a.value, a.err = nil, fmt.Errorf("ipc: the worker's answer cannot be read: %w", err)
	}
	return a, nil
}
