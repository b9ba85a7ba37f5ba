package protocol

import (
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

// Before is for before the answer to a request whose body was not read to its end.
func (u *Unread) Before(w http.ResponseWriter, r *http.Request) {
	if !lingers(r) {
		return
	}
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Time{}) != nil {
		return
	}
	_ = control.EnableFullDuplex() // without it the answer waits for what is left of the body
	if r.ContentLength > u.bytes || expects(r) {
		hangUp(w)
	}
}

// After is for after the answer, and sends that before it waits for the caller. Err is what
// the request has failed with, or nil: who was too slow already is not waited for.
func (u *Unread) After(w http.ResponseWriter, r *http.Request, err error) {
	if !lingers(r) {
		return
	}
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Time{}) != nil {
		return // or Abort has closed the connection
	}
	if CodeOf(err) != CodeRequestTimeout && !expects(r) && u.drop(w, r, control) && r.Context().Err() == nil {
		return
	}
	_ = control.SetReadDeadline(past)
	hangUp(w)
}

func lingers(r *http.Request) bool {
	return r.ProtoMajor == 1 && r.ContentLength != 0 && r.Body != nil
}

// expects reports whether to read from the caller may be to send it 100-continue.
func expects(r *http.Request) bool { return r.Header.Get("Expect") != "" }

// drop reports whether it has read the body of r to its end.
func (u *Unread) drop(w http.ResponseWriter, r *http.Request, control *http.ResponseController) bool {
	if control.Flush() != nil || !whole(w) {
		return u.read(r, control, shortBytes, shortTime)
	}
	defer u.lingering.Add(-1)
	if u.lingering.Add(1) > u.callers {
		return false
	}
	return u.read(r, control, u.bytes, u.time)
}

// whole reports whether an answer that was flushed has been sent to its end.
func whole(w http.ResponseWriter) bool { return w.Header().Get("Content-Length") != "" }

// read reports whether it has read the body to its end within bounds.
func (u *Unread) read(r *http.Request, control *http.ResponseController, most int64, longest time.Duration) bool {
	buf := u.buffers.Get().(*[lingerBuffer]byte)
	defer u.buffers.Put(buf)
	for end := time.Now().Add(longest); ; {
		deadline := time.Now().Add(lingerIdle)
		if deadline.After(end) {
			deadline = end
		}
		if control.SetReadDeadline(deadline) != nil {
			return false
		}
		n, err := r.Body.Read(buf[:])
		switch most -= int64(n); {
		case most < 0:
			return false
		case err == io.EOF:
			// A deadline that passes behind the end of a body ends the contexts of all requests
			// that follow on the connection.
			return control.SetReadDeadline(time.Time{}) == nil && time.Now().Before(deadline)
		case err != nil:
			return false
		}
	}
}

// hangUp makes net/http close the connection of a request after its answer, since what
// is left of the request would be taken for the next one. It is what a body over the
// limit of http.MaxBytesReader does, of which the caller gets to read the answer.
func hangUp(w http.ResponseWriter) {
	_, _ = http.MaxBytesReader(innermost(w), io.NopCloser(strings.NewReader("over")), 0).Read(make([]byte, 1))
}
