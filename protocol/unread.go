package protocol

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lingerIdle is how long a caller may be silent before the connection is closed.
	lingerIdle = 5 * time.Second
	// shortTime and shortBytes bound what is dropped before the end of an answer is sent,
	// which the caller may be waiting for. The bytes are as many as net/http would read.
	shortTime  = 100 * time.Millisecond
	shortBytes = 256 << 10
)

// Unread drops what callers of HTTP/1 go on sending of bodies that nobody wants, after
// the answer: many read it only when they have sent everything, and find the connection
// reset before that if it is closed at once. The connection can be used again afterwards.
// It is a lingering close, as of other servers, for a caller that sends too much, for too
// long or nothing for 5 s, and for those beyond the number that is dropped for at a time:
// these have half a second to read the answer.
//
// Make one with [NewUnread]. It is safe for concurrent use. With a writer that has no
// deadlines it does nothing: net/http reads on its own then, until the server's own
// timeout.
type Unread struct {
	bytes   int64
	time    time.Duration
	callers int64

	lingering atomic.Int64
	servers   sync.Map  // of *http.Server to *atomic.Bool: whether it shuts down
	buffers   sync.Pool // of *[lingerBuffer]byte
}

const lingerBuffer = 8 << 10

// NewUnread returns an Unread that is bounded by l.
func NewUnread(l Limits) *Unread {
	l = l.WithDefaults()
	return &Unread{
		bytes:   l.LingerBytes,
		time:    l.LingerTime,
		callers: int64(l.LingerCallers),
		buffers: sync.Pool{New: func() any { return new([lingerBuffer]byte) }},
	}
}

// Before is for before the answer to a request whose body was not read to its end. Begun says
// whether it was read from.
func (u *Unread) Before(w http.ResponseWriter, r *http.Request, begun bool) {
	if !lingers(r) {
		return
	}
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Time{}) != nil {
		return
	}
	_ = control.EnableFullDuplex() // without it the answer waits for what is left of the body
	if r.ContentLength > u.bytes || !begun && expects(r) {
		hangUp(w)
	}
}

// After is for after the answer, and sends that before it waits for the caller. Err is what
// the request has failed with, or nil: who was too slow already is not waited for.
func (u *Unread) After(w http.ResponseWriter, r *http.Request, begun bool, err error) {
	if !lingers(r) {
		return
	}
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Time{}) != nil {
		return
	}
	wanted := CodeOf(err) != CodeRequestTimeout && (begun || !expects(r))
	if wanted && u.drop(w, r, control) {
		return
	}
	_ = control.SetReadDeadline(past)
	hangUp(w)
}

func lingers(r *http.Request) bool {
	return r.ProtoMajor == 1 && r.ContentLength != 0 && r.Body != nil
}

// expects reports whether to begin to read from the caller is to send it 100-continue.
func expects(r *http.Request) bool { return r.Header.Get("Expect") != "" }

// drop reports whether the connection is as it should be: the body of r was read to its
// end, or the connection is no more.
func (u *Unread) drop(w http.ResponseWriter, r *http.Request, control *http.ResponseController) bool {
	usable := r.Context().Err() == nil // or a Read was interrupted, for net/http the end
	if control.Flush() != nil || !whole(w) {
		return u.read(r.Body, control, shortBytes, shortTime, new(atomic.Bool)) == io.EOF && usable
	}
	defer u.lingering.Add(-1)
	if u.lingering.Add(1) > u.callers {
		return false
	}
	stopping := u.stopping(r)
	switch err := u.read(r.Body, control, u.bytes, u.time, stopping); {
	case err == io.EOF:
		return usable
	case err == errLingered:
		return false
	}
	// The body cannot be read any more. The connection can.
	hijacker, ok := innermost(w).(http.Hijacker)
	if !ok {
		return false
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		return false
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = u.read(conn, conn, u.bytes, u.time, stopping)
	_ = conn.Close()
	return true
}

// stopping returns what is set when the server of r shuts down, which waits for handlers.
func (u *Unread) stopping(r *http.Request) *atomic.Bool {
	server, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	if !ok { // not so in a server of net/http
		return new(atomic.Bool)
	}
	if stopping, known := u.servers.Load(server); known {
		return stopping.(*atomic.Bool)
	}
	stopping, known := u.servers.LoadOrStore(server, new(atomic.Bool))
	if !known {
		server.RegisterOnShutdown(func() { stopping.(*atomic.Bool).Store(true) })
	}
	return stopping.(*atomic.Bool)
}

// whole reports whether an answer that was flushed has been sent to its end.
func whole(w http.ResponseWriter) bool { return w.Header().Get("Content-Length") != "" }

// errLingered says that a bound was reached.
var errLingered = errors.New("protocol: enough of an unread body")

// read reads from src until an error, which is io.EOF at the end, or a bound.
func (u *Unread) read(src io.Reader, control interface{ SetReadDeadline(time.Time) error }, most int64, longest time.Duration, stopping *atomic.Bool) error {
	buf := u.buffers.Get().(*[lingerBuffer]byte)
	defer u.buffers.Put(buf)
	for end := time.Now().Add(longest); ; {
		deadline := time.Now().Add(lingerIdle)
		if deadline.After(end) {
			deadline = end
		}
		if control.SetReadDeadline(deadline) != nil {
			return errLingered
		}
		n, err := src.Read(buf[:])
		switch most -= int64(n); {
		case most < 0 || stopping.Load():
			return errLingered
		case err == io.EOF && control.SetReadDeadline(time.Time{}) != nil, err != nil && !time.Now().Before(deadline):
			// A deadline that passes behind the end of a body ends the contexts of all requests
			// that follow on the connection.
			return errLingered
		case err != nil: // it may be that of a Read which was interrupted
			return err
		}
	}
}

// hangUp makes net/http close the connection of a request after its answer, since what
// is left of the request would be taken for the next one. It is what a body over the
// limit of http.MaxBytesReader does, of which the caller gets to read the answer.
func hangUp(w http.ResponseWriter) {
	_, _ = http.MaxBytesReader(innermost(w), io.NopCloser(strings.NewReader("over")), 0).Read(make([]byte, 1))
}
