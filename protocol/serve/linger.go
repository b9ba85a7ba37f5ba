package serve

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

const (
	// lingerIdle is how long a caller may be silent before the connection is closed.
	lingerIdle = 5 * time.Second
	// shortTime and shortBytes bound what is dropped before the end of an answer is sent,
	// since the caller may be waiting for that. net/http would read as many bytes.
	shortTime  = 100 * time.Millisecond
	shortBytes = 256 << 10
)

// Linger is the lingering close of HTTP/1: it receives and drops what is left of a body
// after the answer. Many callers read the answer only when they have sent everything, and
// they find the connection reset if it is closed before. Usually the connection can be used
// again afterwards. It is closed if a caller sends too much, sends for too long, or sends
// nothing for 5 s. If more callers linger than the limit allows, the others have half a
// second to read the answer.
//
// Make one with [NewLinger]. It is safe for concurrent use. If a server has no deadlines it
// does nothing: net/http reads the rest on its own then, until the server's own timeout.
type Linger struct {
	bytes   int64
	time    time.Duration
	callers int64

	lingering atomic.Int64
	servers   shutdowns
	buffers   sync.Pool // of *[lingerBuffer]byte
}

const lingerBuffer = 8 << 10

// NewLinger returns a Linger with the Linger fields of l as its bounds.
func NewLinger(l protocol.Limits) *Linger {
	l = l.WithDefaults()
	return &Linger{
		bytes:   l.LingerBytes,
		time:    l.LingerTime,
		callers: int64(l.LingerCallers),
		buffers: sync.Pool{New: func() any { return new([lingerBuffer]byte) }},
	}
}

// Before prepares the answer to a request whose body was not read to its end. Begun says
// whether it was read from.
func (l *Linger) Before(x Exchange, r *http.Request, begun bool) {
	if !leavesRest(x, r) {
		return
	}
	x.Duplex() // otherwise the answer waits for what is left of the body
	if r.ContentLength > l.bytes || !begun && expects(r) {
		x.CloseAfter()
	}
}

// After sends the answer and then drops what is left of the body. Err is the error of the
// request, or nil: a caller whose body came too slowly gets no more time.
func (l *Linger) After(x Exchange, r *http.Request, begun bool, err error) {
	if !leavesRest(x, r) {
		return
	}
	wanted := protocol.CodeOf(err) != protocol.CodeRequestTimeout && (begun || !expects(r))
	if wanted && l.drop(x, r) {
		return
	}
	x.InterruptRead()
	x.CloseAfter()
}

// leavesRest reports whether the rest of a body would be read as the next request. HTTP/2
// has streams for that.
func leavesRest(x Exchange, r *http.Request) bool {
	return r.ProtoMajor == 1 && r.ContentLength != 0 && r.Body != nil && x.SetReadDeadline(time.Time{}) == nil
}

// expects reports whether the first Read of the body sends 100 Continue to the caller.
func expects(r *http.Request) bool { return r.Header.Get("Expect") != "" }

// drop reports whether nothing is left to do for the connection: the body of r was read to
// its end, or the connection has ended.
func (l *Linger) drop(x Exchange, r *http.Request) bool {
	usable := r.Context().Err() == nil // an interrupted Read cancels the context too
	if x.Flush() != nil || !hasLength(x) {
		return l.read(x, x, shortBytes, shortTime, new(atomic.Bool)) == io.EOF && usable
	}
	defer l.lingering.Add(-1)
	if l.lingering.Add(1) > l.callers {
		return false
	}
	stopping := l.servers.of(r)
	switch err := l.read(x, x, l.bytes, l.time, stopping); {
	case err == io.EOF:
		return usable
	case err == errBound:
		return false
	}
	// The body cannot be read any more. The connection can.
	conn, ok := x.Hijack()
	if !ok {
		return false
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = l.read(conn, conn, l.bytes, l.time, stopping)
	_ = conn.Close()
	return true
}

// hasLength reports whether an answer has a Content-Length. Flush has sent all of it then.
func hasLength(w http.ResponseWriter) bool { return w.Header().Get("Content-Length") != "" }

// errBound says that a bound was reached.
var errBound = errors.New("serve: an unread body has reached its bound")

// read reads from src until an error, which is io.EOF at the end, or until a bound.
func (l *Linger) read(src io.Reader, conn interface{ SetReadDeadline(time.Time) error }, maxBytes int64, maxTime time.Duration, stopping *atomic.Bool) error {
	buf := l.buffers.Get().(*[lingerBuffer]byte)
	defer l.buffers.Put(buf)
	for end := time.Now().Add(maxTime); ; {
		deadline := time.Now().Add(lingerIdle)
		if deadline.After(end) {
			deadline = end
		}
		if conn.SetReadDeadline(deadline) != nil {
			return errBound
		}
		n, err := src.Read(buf[:])
		switch maxBytes -= int64(n); {
		case maxBytes < 0 || stopping.Load():
			return errBound
		case err == io.EOF && conn.SetReadDeadline(time.Time{}) != nil, err != nil && !time.Now().Before(deadline):
			// A deadline that passes after the end of a body ends the contexts of all later
			// requests on the connection.
			return errBound
		case err != nil: // possibly the error of a Read that was interrupted
			return err
		}
	}
}
