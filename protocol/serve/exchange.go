package serve

import (
	"io"
	"net"
	"net/http"
	"time"
)

// Exchange is one request and its answer as a server hands them to the Handler. It is the
// seam between the protocol and a server: [OverNetHTTP] makes one for net/http, and another
// server implements it and calls the Handler's ServeExchange. The http.Request beside it must
// have a context that ends when the caller leaves, and a Body that is not nil if there is one.
// If the context has an http.Server (see http.ServerContextKey), its shutdown ends lingering.
//
// Read, InterruptRead and SetReadDeadline may be called while another goroutine writes. No
// method may be called after the Handler has returned, except for a Read that was waiting.
type Exchange interface {
	http.ResponseWriter
	io.StringWriter

	// Read reads the body of the request. Its error is a *protocol.Error if the caller (499),
	// the server's read timeout (408) or a limit of the server (413) is the reason. Every
	// other error but io.EOF means that the body itself is malformed.
	Read(p []byte) (int, error)
	// InterruptRead makes a Read that waits for the caller return an error, and every later
	// one. It may cancel the request's context. It reports false if the connection had ended
	// before, so that the error of Read has its own reason.
	InterruptRead() bool
	// SetReadDeadline bounds the time of Read. Zero means no bound, not even the server's own
	// timeout. An error means that the server has no deadlines.
	SetReadDeadline(t time.Time) error
	// Duplex lets the answer begin, and end, before the body was read to its end.
	Duplex()

	// Flush sends what was written so far. The error is http.ErrNotSupported if the server
	// cannot.
	Flush() error
	// Buffering returns the name of a wrapper that holds streams back because it cannot flush,
	// "" if there is none.
	Buffering() string
	// GuardEnd prepares a streamed answer whose end is the end of the connection: until
	// release is called, a connection that is closed for any reason is reset, so that the
	// answer never looks whole. The argument of release says whether the answer was sent.
	GuardEnd() (release func(sent bool))

	// CloseAfter closes the connection after the answer: what is left of the request would
	// otherwise be read as the next request.
	CloseAfter()
	// Hijack takes the connection from the server. It reports false if the server keeps it.
	Hijack() (net.Conn, bool)
	// Abort ends the answer so that the caller sees that it is cut. What was written before
	// is sent first if begun is set. It panics with http.ErrAbortHandler if the server leaves
	// no other way. Nothing can be sent afterwards.
	Abort(begun bool)
}
