package protocol

import (
	"io"
	"net/http"
)

// Kind distinguishes tasks and events.
type Kind uint8

// The two kinds of call.
const (
	KindTask Kind = iota
	KindEvent
)

// String returns the kind as paths have it, "task" or "event".
func (k Kind) String() string {
	if k == KindEvent {
		return "event"
	}
	return "task"
}

// title returns the kind as messages have it.
func (k Kind) title() string {
	if k == KindEvent {
		return "Event"
	}
	return "Task"
}

// Call is one task to run or one event to emit. The HTTP side has authenticated the caller
// and checked the allow-list before an executor sees it. A Call and everything it refers to
// belongs to the caller of Execute: do not change it, and do not keep it after Execute has
// returned.
type Call struct {
	Kind Kind
	// ID is the decoded id of the task or event.
	ID string
	// RequestID is the caller's x-runner-request-id if that was acceptable, and otherwise a new
	// id. The answer and the logs show it. Header may still contain an unacceptable id.
	RequestID string
	// Header, Host, Method and Target are the HTTP request's. Target is the path and query of
	// the request line as the caller wrote them. RemoteAddr is the other end of the connection,
	// host:port, unless middleware has replaced it by the address of a caller behind a proxy.
	// All are empty for calls that come without HTTP.
	Header                           http.Header
	Host, Method, Target, RemoteAddr string
	// BasePath is the base path that the call came by, without a trailing slash.
	BasePath string
	// Identity is what the configured Authenticate function returned. It is nil for callers
	// with a token and for anonymous callers.
	Identity any
	// Payload is the input of a task or the payload of an event: one JSON document. It was
	// checked to be valid, at most [MaxDepth] deep and UTF-8, and is otherwise as the caller
	// wrote it. Nil means that there is no value.
	Payload []byte
	// Body is the raw body of a task that was sent application/octet-stream, and nil for all
	// other calls. Such a task has no Payload. Body may be read while the reply's Stream is
	// read, and it may be left unread. Closing it makes a Read that waits return. The
	// connection cannot be used again if the body was not at its end then.
	Body io.ReadCloser
	// Form has the files of a task that was sent multipart/form-data, and is nil for all other
	// calls. The Payload is the input in its manifest. The caller of Execute finishes and closes
	// the form. Files may be read while the reply's Stream is read.
	Form *Form
	// ReturnPayload says that the caller of an event wants the payload after all handlers have
	// run.
	ReturnPayload bool

	// Ticket is where a tunnel.Gate stores its findings about the call.
	Ticket any

	// Worker names the worker that has run the call, for the log. An executor sets it.
	Worker string
}

// Reply is the outcome of a call that succeeded: a JSON value or a stream.
type Reply struct {
	// Value is the result of a task, or the final payload of an event whose call has
	// ReturnPayload set (it is ignored for other events): one valid JSON document, which is
	// sent unchanged. Nil means that there is no value. It may alias the call's Payload.
	Value []byte

	// Void leaves the result out of the answer if Value is nil, as servers of Runner 4 do.
	// Without it the result is Undefined then, which clients of later versions expect.
	Void bool

	// Stream, if not nil, is sent instead of an envelope, each byte as soon as it can be read. It
	// is always closed, by the goroutine that reads it: a Read that waits must return soon after
	// the context of Execute is done. That context ends after the stream was closed, or when the
	// caller disconnects. If the first Read fails, the answer is the same as if Execute had
	// returned its error. A later error aborts the connection, so that an incomplete body never
	// looks complete.
	Stream io.ReadCloser
	// Status of a streamed reply. Zero means 200. A status that allows no body (below 200,
	// 204, 205, 304) is sent as 500, unless the stream is empty and it is 204, 205 or 304.
	Status int
	// ContentType of a streamed reply. Empty means application/octet-stream.
	ContentType string
	// FlushHeader sends status and headers of a streamed reply before its first byte is
	// read, for streams that may be silent for a long time at first. An error of the first
	// Read is then like an error of any other Read. It is ignored if Status allows no body.
	FlushHeader bool
	// StreamHeader has more headers of a streamed reply. A Content-Type in it has precedence
	// over ContentType. Vary is added to the protocol's own. Cookies, connection headers and
	// the headers that the protocol sets (CORS, request id, security) are left out.
	StreamHeader http.Header
}
