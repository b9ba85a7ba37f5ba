package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/ipc/internal/text"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

// Answer is a worker's answer to a call.
type Answer struct {
	ID    uint64
	Value []byte // a copy, nil if there is none
	Err   error

	// On the framed wire:
	Void   bool    // there is no result, not even undefined
	N      int     // the bytes of the value, which follow the line
	Stream *Stream // the result follows as a stream
}

// Stream is the head of an answer whose result follows as a stream.
type Stream struct {
	Status      int           `json:"status"`
	ContentType string        `json:"contentType"`
	Headers     []string      `json:"headers"` // names and values in turn
	Flush       bool          `json:"flush"`
	Body        io.ReadCloser `json:"-"` // set by the reader of the wire
}

// Reply returns the reply with the stream's body.
func (s *Stream) Reply() *protocol.Reply {
	header := make(http.Header)
	for i := 0; i+1 < len(s.Headers); i += 2 {
		header.Add(s.Headers[i], encodeLatin1(s.Headers[i+1]))
	}
	return &protocol.Reply{
		Stream: s.Body, Status: s.Status, ContentType: encodeLatin1(s.ContentType), FlushHeader: s.Flush, StreamHeader: header,
	}
}

// maxDepth allows a result as deep as a request may be, inside its line.
const maxDepth = protocol.MaxDepth + 1

// ParseAnswer parses a line on either wire. It reports false for a line that is no answer.
func ParseAnswer(line []byte) (Answer, bool) {
	if len(line) == 0 || line[0] != '{' && line[0] != ' ' {
		return Answer{}, false
	}
	var id, ok, result, failure, n, stream, void []byte
	err := rawjson.Members(line, maxDepth, func(name, value []byte) {
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
		return Answer{}, false
	}
	number, err := strconv.ParseUint(string(id), 10, 53)
	if err != nil || string(ok) != "true" && string(ok) != "false" {
		return Answer{}, false
	}
	a := Answer{ID: number, Void: string(void) == "true"}
	a.N, _ = strconv.Atoi(string(n))
	switch {
	case string(ok) == "false":
		a.Err = parseFailure(failure)
	case string(stream) == "true":
		a.Stream = &Stream{}
		_ = json.Unmarshal(line, a.Stream)
	case result != nil:
		if len(line) <= text.MaxShared {
			result = bytes.Clone(result)
		}
		a.Value = text.ValidUTF8(result)
	}
	return a, true
}

var answerStart = regexp.MustCompile(`^\s*\{\s*"id"\s*:\s*(\d{1,16})\s*,\s*"ok"\s*:\s*(?:true|false)\s*[,}]`)

// BrokenAnswer returns a failure for a line that begins like an answer but cannot be read, because
// it is too long (cut bytes are missing), nested too deep or no JSON. Without that its call would
// wait for ever.
func BrokenAnswer(line []byte, cut int64) (Answer, bool) {
	start := answerStart.FindSubmatch(line)
	if start == nil {
		return Answer{}, false
	}
	n, err := strconv.ParseUint(string(start[1]), 10, 53)
	if err != nil {
		return Answer{}, false
	}
	if cut > 0 {
		return Answer{ID: n, Err: tooLong(int64(len(line))+cut, len(line))}, true
	}
	err = rawjson.Check(line, maxDepth)
	return Answer{ID: n, Err: fmt.Errorf("ipc: the worker's answer cannot be read: %w", err)}, true
}

// tooLong returns the error of a call whose answer is too long.
func tooLong(size int64, limit int) error {
	return fmt.Errorf("ipc: the worker's answer has %d bytes, and Options.MaxAnswer is %d: raise it, or let the task return a stream, which has no limit", size, limit)
}

// parseFailure returns the error in an answer's error object. Callers see its text only if the
// worker has marked it as public: see the package documentation.
func parseFailure(object []byte) error {
	var e struct {
		message, code, codeName, id string
		data                        json.RawMessage
		httpCode                    int
	}
	_ = rawjson.Members(object, maxDepth, func(name, value []byte) {
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

// ReadPayload reads the value of an answer, the N bytes after its line.
func ReadPayload(in *text.LineReader, a Answer, max int) (Answer, error) {
	if a.N > max {
		in.Skip(int64(a.N))
		a.Err = tooLong(int64(a.N), max)
		return a, nil
	}
	a.Value = make([]byte, a.N)
	if _, err := io.ReadFull(in, a.Value); err != nil {
		return a, err
	}
	a.Value = text.ValidUTF8(a.Value)
	if err := rawjson.Check(a.Value, maxDepth); err != nil {
		a.Value, a.Err = nil, fmt.Errorf("ipc: the worker's answer cannot be read: %w", err)
	}
	return a, nil
}
