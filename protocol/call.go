package protocol

import (
	"io"
	"net/http"
)

// Kind tells tasks from events.
type Kind uint8

// The two kinds of call.
const (
	KindTask Kind = iota
	KindEvent
)

// String returns the kind as it stands in paths, "task" or "event".
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

// Call is one task to run or one event to emit. The HTTP side has authenticated
// the caller and checked the allow-list by the time an executor sees it. A Call and
// everything it refers to belongs to the caller of Execute: read only, and not to
// be kept after Execute has returned.
type Call struct {
	Kind Kind
	// ID is the decoded id of the task or event.
	ID string
	// RequestID is the caller's x-runner-request-id if that was acceptable, else one
	// made here. It is what RequestID headers and logs show; Header may still hold a
	// caller's unacceptable one.
	RequestID string
	// Header, Host, Method and Target are the HTTP request's; Target is its request line's,
	// path and query as the caller wrote them. RemoteAddr is whom the connection is with,
	// host:port, unless middleware has set it to whom it knows behind that. They are empty
	// for calls from elsewhere.
	Header                           http.Header
	Host, Method, Target, RemoteAddr string
	// BasePath is the base path that the call came by, without a trailing slash.
	BasePath string
	// Identity is what the configured Authenticate function returned; nil for callers
	// that a token or anonymous access let in.
	Identity any
	// Payload is the input of a task or the payload of an event: one JSON document,
	// checked to be valid, at most [MaxDepth] deep and UTF-8, as the caller wrote it
	// otherwise. Nil means that there is none.
	Payload []byte
	// Body is the raw body of a task that was sent application/octet-stream, nil for all
	// others; such a task has no Payload. It may be read while the reply's Stream is, and
	// left unread. Closing it makes a Read that waits return, and the connection cannot be
	// used again if the body was not at its end.
	Body io.ReadCloser
	// Form has the files of a task that was sent multipart/form-data, nil for all others.
	// Its manifest's input is the Payload. It is finished and closed by the caller of
	// Execute; files may be read while the reply's Stream is.
	Form *Form
	// ReturnPayload asks an event for the payload as it is after all handlers ran.
	ReturnPayload bool

	// Ticket is what a tunnel.Gate keeps about the call, for itself.
	Ticket any

	// Worker names what has run the call, for the log. Executors that have workers set it.
	Worker string
}

// Reply is the outcome of a call that succeeded: a JSON value or a stream.
type Reply struct {
	// Value is the result of a task, or the final payload of an event whose call has
	// ReturnPayload set (it is ignored for other events): one valid JSON document,
	// which is sent as it is. Nil means none. It may alias the call's Payload.
	Value []byte

	// Void leaves the result out of the answer where Value is nil, as servers of Runner 4
	// do. Clients of later ones want Undefined there, which is what they get without it.
	Void bool

	// Stream, if not nil, is sent instead of an envelope, byte by byte as it can be
	// read. It is closed in any case, by the goroutine that reads it: a Read that waits
	// must return soon after the context that Execute got is done. That context ends
	// after the stream was closed, or when the caller leaves. An error of the first Read is answered as if
	// Execute had returned it; a later one aborts the connection, so that a body that
	// was cut short never looks complete.
	Stream io.ReadCloser
	// Status of a streamed reply. Zero means 200; one that cannot have a body, below 200,
	// 204, 205 or 304, is sent as 500.
	Status int
	// ContentType of a streamed reply. Empty means application/octet-stream.
	ContentType string
	// FlushHeader sends status and headers of a streamed reply before its first byte is
	// read, for streams that may be silent for a long time at first. An error of the first
	// Read is then like that of any other. It counts for nothing with a Status that cannot
	// have a body.
	FlushHeader bool
	// StreamHeader holds more headers of a streamed reply; a Content-Type in it wins
	// over ContentType. Cookies, connection headers and those that the protocol sets
	// itself (CORS, Vary, request id, security) are dropped.
	StreamHeader http.Header
}
