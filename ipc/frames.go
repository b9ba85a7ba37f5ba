package ipc

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

// The framed wire, as node/lib/frames.js has it too: keep the two in step, and both
// with node/test/golden.json, which the tests of both read. The package documentation
// describes it.

// wireVersion is the version that a hello must name.
const wireVersion = 1

// wireEnv is the environment variable that tells a worker where the wire is: on two
// file descriptors, or on its standard input and output.
const (
	wireEnv   = "TUNNEL_IPC"
	wireFDs   = "3,4"
	wireStdio = "stdio"
)

// appendFramedCall appends a task or an event. The identity is a JSON document. Hash is
// what the body must have, if the worker is to see to that.
func appendFramedCall(dst []byte, id uint64, call *protocol.Call, identity []byte, hash string) []byte {
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

// appendFramedAuth appends the question whether a request is to be let in.
func appendFramedAuth(dst []byte, id uint64, r *http.Request) []byte {
	dst = append(dst, `{"type":"auth","id":`...)
	dst = strconv.AppendUint(dst, id, 10)
	dst = appendMember(dst, `,"remote":`, r.RemoteAddr)
	dst = appendRequest(dst, r.Method, r.RequestURI, r.Host, r.Header, "")
	return append(dst, "}\n"...)
}

// appendFramedCancel appends that nobody waits for an answer any more.
func appendFramedCancel(dst []byte, id uint64) []byte {
	dst = append(dst, `{"type":"cancel","id":`...)
	dst = strconv.AppendUint(dst, id, 10)
	return append(dst, "}\n"...)
}

// appendFramedFile appends what the form says about the file that is stream s of a call.
func appendFramedFile(dst []byte, id uint64, s int, name, contentType string) []byte {
	dst = appendStream(dst, "file", id, s)
	dst = appendMember(dst, `,"name":`, name)
	dst = appendMember(dst, `,"contentType":`, contentType)
	return append(dst, "}\n"...)
}

// appendFramedData appends the line that announces n bytes of stream s of a call.
func appendFramedData(dst []byte, id uint64, s, n int) []byte {
	dst = appendStream(dst, "data", id, s)
	dst = append(dst, `,"n":`...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	return append(dst, "}\n"...)
}

// appendFramedEnd appends that stream s of a call is at its end, or broke off if
// reason is not empty.
func appendFramedEnd(dst []byte, id uint64, s int, reason string) []byte {
	dst = appendStream(dst, "end", id, s)
	dst = appendMember(dst, `,"error":`, reason)
	return append(dst, "}\n"...)
}

// appendFramedWindow appends that the worker may send size bytes more of a result.
func appendFramedWindow(dst []byte, id uint64, size int) []byte {
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

// appendRequest appends what a worker may know about the HTTP request.
func appendRequest(dst []byte, method, target, host string, header http.Header, requestID string) []byte {
	dst = appendMember(dst, `,"method":`, method)
	dst = appendMember(dst, `,"url":`, target)
	if header == nil {
		return dst
	}
	dst = append(dst, `,"headers":"`...)
	first := true
	field := func(name, value string) {
		if !first {
			dst = append(dst, `\n`...)
		}
		first = false
		start := len(dst)
		dst = appendEscaped(dst, name, decodeLatin1)
		lower(dst[start:])
		dst = append(dst, `\n`...)
		dst = appendEscaped(dst, value, decodeLatin1)
	}
	if host != "" {
		field("host", host)
	}
	for name := range header {
		if name == protocol.HeaderRequestID && requestID != "" {
			continue
		}
		field(name, nodeHeader(header, name))
	}
	if requestID != "" {
		field(protocol.HeaderRequestID, requestID)
	}
	return append(dst, '"')
}

// lower makes ASCII text lower case.
func lower(text []byte) {
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			text[i] = c | 0x20
		}
	}
}

// once are the headers of which Node.js keeps the first and drops the others.
var once = map[string]bool{
	"Age": true, "Authorization": true, "Content-Length": true, "Content-Type": true, "Etag": true, "Expires": true, "From": true,
	"If-Modified-Since": true, "If-Unmodified-Since": true, "Last-Modified": true, "Location": true, "Max-Forwards": true,
	"Proxy-Authorization": true, "Referer": true, "Retry-After": true, "Server": true, "User-Agent": true,
}

// nodeHeader returns the value of a header as a Node.js server shows it to a program.
func nodeHeader(h http.Header, name string) string {
	values := h[name]
	switch {
	case len(values) > 1 && once[name]:
		return values[0]
	case name == "Cookie":
		return strings.Join(values, "; ")
	}
	return protocol.CombinedHeader(h, name)
}

// appendMember appends a member that is left out if it is empty.
func appendMember(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	return appendASCII(append(dst, key...), value, utf8.DecodeRuneInString)
}

// appendASCII appends s as a JSON string of ASCII characters alone: towards a worker a
// byte is a character, so that it can decode a whole chunk at once. Decode says how
// the bytes of s are to be read.
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

// decodeLatin1 reads a header's bytes as Node.js reads them.
func decodeLatin1(s string) (rune, int) { return rune(s[0]), 1 }

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

// control is a message of a framed worker that is no answer.
type control struct {
	Type string `json:"type"`

	// hello
	Wire    int                        `json:"wire"`
	Runtime string                     `json:"runtime"`
	Tasks   []string                   `json:"tasks"` // nil, with Events: nothing may be called
	Events  []string                   `json:"events"`
	Auth    bool                       `json:"auth"`
	Schemas map[string]json.RawMessage `json:"schemas"`
	Aliases map[string]string          `json:"aliases"` // other names of tasks and events
	Lanes   []announcedLane            `json:"lanes"`   // that need a token of their own

	// data, end, window and stop
	ID         uint64   `json:"id"`
	S          int      `json:"s"`
	N          int      `json:"n"`
	Size       int      `json:"size"`
	Error      string   `json:"error"`
	Idempotent []string `json:"idempotent"` // tasks that may be run twice

	// log
	Level   string `json:"level"`
	Message string `json:"message"`
}

var errNoMessage = errors.New("ipc: a line on the wire is no message")

// parseControl reads a line that is no answer.
func parseControl(line []byte) (*control, error) {
	if err := rawjson.Check(line, maxAnswerDepth); err != nil {
		return nil, errors.Join(errNoMessage, err)
	}
	c := &control{}
	if err := json.Unmarshal(line, c); err != nil || c.Type == "" {
		return nil, errors.Join(errNoMessage, err)
	}
	return c, nil
}

// allowList returns what a hello says may be called, nil for nothing at all.
func (c *control) allowList() *protocol.AllowList {
	if c.Tasks == nil && c.Events == nil {
		return nil
	}
	return protocol.NewAllowList(slices.Clone(c.Tasks), slices.Clone(c.Events)).WithAliases(c.Aliases)
}
