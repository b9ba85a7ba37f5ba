package wire

import (
	"errors"
	"net/http"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

// This file has the messages of the framed wire, of those from a worker all but answers (answer.go).
// Its twin is ipc/node/lib/frames.js: change both together, and
// ipc/node/test/golden.json, which the tests of both read.

// Version is the version that a hello must name.
const Version = 1

// Package is the version of the npm package @bluelibs/tunnel-worker that belongs to this module.
// Others of the same wire work, too.
const Package = "0.1.0"

// MaxData is the largest size of a data message, in bytes.
const MaxData = 64 << 10

const (
	// FullData is the largest size of a data message to a worker. With its line, of at most
	// MaxDataLine bytes, it fits a pipe of 64 KiB and takes one write and one read.
	FullData    = 63 << 10
	MaxDataLine = 96
)

// Env is the environment variable that tells a worker where the framed wire is: on descriptors 3
// and 4, or on its standard input and output.
const (
	Env   = "TUNNEL_IPC"
	FDs   = "3,4"
	Stdio = "stdio"
)

// AppendCall appends a task or an event. The identity is a JSON document, nil for none. The worker
// compares the hash with that of the body, unless hash is empty.
func AppendCall(dst []byte, id uint64, call *protocol.Call, identity []byte, hash string) []byte {
	if call.Kind == protocol.KindEvent {
		dst = append(dst, `{"type":"event","id":`...)
		dst = strconv.AppendUint(dst, id, 10)
		dst = append(dst, `,"eventId":`...)
	} else {
		dst = append(dst, `{"type":"task","id":`...)
		dst = strconv.AppendUint(dst, id, 10)
		dst = append(dst, `,"taskId":`...)
	}
	dst = appendASCII(dst, call.ID, utf8.DecodeRuneInString)
	if call.ReturnPayload {
		dst = append(dst, `,"returnPayload":true`...)
	}
	dst = appendMember(dst, `,"requestId":`, call.RequestID)
	dst = appendMember(dst, `,"basePath":`, call.BasePath)
	dst = appendMember(dst, `,"remote":`, call.RemoteAddr)
	dst = appendRequest(dst, call.Method, call.Target, call.Host, call.Header, call.RequestID)
	dst = appendMember(dst, `,"hash":`, hash)
	if identity != nil {
		dst = append(dst, `,"identity":`...)
		dst = appendASCIIDocument(dst, identity)
	}
	if call.Body != nil {
		dst = append(dst, `,"body":true`...)
	}
	if call.Form != nil {
		dst = append(dst, `,"files":[`...)
		for i, file := range call.Form.FileIDs() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendASCII(dst, file, utf8.DecodeRuneInString)
		}
		dst = append(dst, ']')
	}
	if call.Payload == nil {
		return append(dst, "}\n"...)
	}
	dst = append(dst, `,"n":`...)
	dst = strconv.AppendInt(dst, int64(len(call.Payload)), 10)
	dst = append(dst, "}\n"...)
	return append(dst, call.Payload...)
}

// AppendAuth appends the authentication of a request.
func AppendAuth(dst []byte, id uint64, r *http.Request) []byte {
	dst = append(dst, `{"type":"auth","id":`...)
	dst = strconv.AppendUint(dst, id, 10)
	dst = appendMember(dst, `,"remote":`, r.RemoteAddr)
	dst = appendRequest(dst, r.Method, r.RequestURI, r.Host, r.Header, "")
	return append(dst, "}\n"...)
}

// AppendCancel appends the cancellation of a call.
func AppendCancel(dst []byte, id uint64) []byte {
	dst = append(dst, `{"type":"cancel","id":`...)
	dst = strconv.AppendUint(dst, id, 10)
	return append(dst, "}\n"...)
}

// AppendFile appends name and type of the file that is stream s of a call.
func AppendFile(dst []byte, id uint64, s int, name, contentType string) []byte {
	dst = appendStream(dst, "file", id, s)
	dst = appendMember(dst, `,"name":`, name)
	dst = appendMember(dst, `,"contentType":`, contentType)
	return append(dst, "}\n"...)
}

// AppendData appends the line before n bytes of stream s of a call.
func AppendData(dst []byte, id uint64, s, n int) []byte {
	dst = appendStream(dst, "data", id, s)
	dst = append(dst, `,"n":`...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	return append(dst, "}\n"...)
}

// AppendEnd appends the end of stream s of a call. Reason says why it broke off, and is empty if it did not.
func AppendEnd(dst []byte, id uint64, s int, reason string) []byte {
	dst = appendStream(dst, "end", id, s)
	dst = appendMember(dst, `,"error":`, reason)
	return append(dst, "}\n"...)
}

// AppendWindow appends a credit of size bytes for the result of a call.
func AppendWindow(dst []byte, id uint64, size int) []byte {
	dst = appendStream(dst, "window", id, 0)
	dst = append(dst, `,"size":`...)
	dst = strconv.AppendInt(dst, int64(size), 10)
	return append(dst, "}\n"...)
}

func appendStream(dst []byte, messageType string, id uint64, s int) []byte {
	dst = append(dst, `{"type":"`...)
	dst = append(dst, messageType...)
	dst = append(dst, `","id":`...)
	dst = strconv.AppendUint(dst, id, 10)
	if s > 0 {
		dst = append(dst, `,"s":`...)
		dst = strconv.AppendInt(dst, int64(s), 10)
	}
	return dst
}

// AppendPing appends a ping, which the worker answers with a pong.
func AppendPing(dst []byte) []byte { return append(dst, `{"type":"ping","id":0}`+"\n"...) }

// Message is a message of a worker that is no answer. A hello has more: see ParseHello.
type Message struct {
	Type string `json:"type"`

	// Data, end, window and stop messages are about a stream of a call.
	ID     uint64 `json:"id"`
	Stream int    `json:"s"`
	N      int    `json:"n"`     // bytes of data that follow the line
	Size   int    `json:"size"`  // credit of a window, in bytes
	Error  string `json:"error"` // of an end: why the stream broke off, empty if it did not

	// A message for the log.
	Level string `json:"level"`
	Text  string `json:"message"`
}

var errInvalid = errors.New("invalid message")

// ParseMessage parses a line that is no answer: ParseAnswer comes first.
func ParseMessage(line []byte) (Message, error) {
	var m Message
	if err := rawjson.Check(line, maxDepth); err != nil {
		return m, errors.Join(errInvalid, err)
	}
	if err := json.Unmarshal(line, &m); err != nil || m.Type == "" {
		return m, errors.Join(errInvalid, err)
	}
	return m, nil
}

// appendMember appends a member unless its value is empty.
func appendMember(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	return appendASCII(append(dst, key...), value, utf8.DecodeRuneInString)
}

// appendASCII appends s as a JSON string of ASCII characters: a worker can then decode a whole chunk
// at once, since each byte is a character. Decode reads a character of s.
func appendASCII(dst []byte, s string, decode func(string) (rune, int)) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s, decode)
	return append(dst, '"')
}

func appendEscaped(dst []byte, s string, decode func(string) (rune, int)) []byte {
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; ' ' <= c && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		r, size := decode(s[i:])
		i += size
		start = i
		if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
			dst = appendUnit(dst, high)
			r = low
		}
		dst = appendUnit(dst, r)
	}
	return append(dst, s[start:]...)
}

func appendUnit(dst []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// appendASCIIDocument appends a valid JSON document on one line, in ASCII.
func appendASCIIDocument(dst, doc []byte) []byte {
	for i := 0; i < len(doc); {
		switch c := doc[i]; {
		case c == '\n' || c == '\r':
			i++
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, size := utf8.DecodeRune(doc[i:])
			dst = appendEscaped(dst, string(r), utf8.DecodeRuneInString)
			i += size
		}
	}
	return dst
}
