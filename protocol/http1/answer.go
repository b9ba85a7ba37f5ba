package http1

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	// heldBack is how much of an answer is held back to find out its length, as in net/http.
	heldBack = 2 << 10
	// outSize is how much of an answer is collected before it is sent.
	outSize = 4 << 10
	// lastSend is how long a caller has to receive what was written before an answer is cut.
	lastSend = time.Second
)

// exchange is a request whose body is in memory, and its answer. It is a serve.Exchange. Its
// bytes are those that net/http would send, except for the bounds of chunks. It is used for
// all requests of a connection, one after the other.
type exchange struct {
	conn   *conn
	body   []byte // what was not read yet
	header http.Header

	status  int    // 0 before WriteHeader
	length  int64  // the Content-Length, -1 if there is none
	unclear bool   // the Content-Length was none
	written int64  // how much of the body
	held    []byte // what was written before the header was settled
	settled bool   // the header is in out, or was sent
	chunked bool   // as the header says
	closing bool   // the connection ends after the answer
	aborted bool
	err     error   // of sending, after which nothing is sent
	out     []byte  // what is to be sent
	fields  []field // of the header, sorted
	has     has
}

// begin prepares x for a request with this body.
func (x *exchange) begin(body []byte) {
	clear(x.header)
	clear(x.fields)
	if cap(x.held) > heldBack || cap(x.out) > 2*outSize {
		x.held, x.out = nil, nil
	}
	*x = exchange{conn: x.conn, body: body, header: x.header, length: -1, held: x.held[:0], out: x.out[:0], fields: x.fields[:0]}
}

func (x *exchange) Header() http.Header { return x.header }

// Read reads the body, all of which has arrived.
func (x *exchange) Read(p []byte) (int, error) {
	if len(x.body) == 0 {
		return 0, io.EOF
	}
	n := copy(p, x.body)
	x.body = x.body[n:]
	return n, nil
}

// InterruptRead does nothing: no Read waits.
func (x *exchange) InterruptRead() bool {
	x.body = nil
	return true
}

// SetReadDeadline says that there are no deadlines. What is not read of a body is dropped
// after the answer.
func (x *exchange) SetReadDeadline(time.Time) error { return http.ErrNotSupported }

func (x *exchange) Duplex() {}

func (x *exchange) Buffering() string { return "" }

// GuardEnd does nothing: no answer ends with the connection.
func (x *exchange) GuardEnd() func(bool) { return func(bool) {} }

// CloseAfter sets the header too, if that is not settled.
func (x *exchange) CloseAfter() {
	x.closing = true
	if x.status == 0 {
		x.header["Connection"] = closing
	}
}

var closing = []string{"close"}

func (x *exchange) Hijack() (net.Conn, bool) { return nil, false }

// WriteHeader takes note of the status and of the length. Only the first call counts. An
// informational status is not the answer's, and nobody has to send one.
func (x *exchange) WriteHeader(status int) {
	if x.status != 0 || status < http.StatusOK {
		return
	}
	x.status = status
	if text := x.header.Get("Content-Length"); text != "" {
		length, err := strconv.ParseInt(text, 10, 64)
		if err != nil || length < 0 {
			delete(x.header, "Content-Length")
			x.unclear = true
			return
		}
		x.length = length
	}
}

// allowsBody reports whether an answer with this status may have a body.
func allowsBody(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

func (x *exchange) Write(p []byte) (int, error) {
	if err := x.admit(len(p)); err != nil || len(p) == 0 {
		return 0, err
	}
	return write(x, p)
}

func (x *exchange) WriteString(s string) (int, error) {
	if err := x.admit(len(s)); err != nil || s == "" {
		return 0, err
	}
	if x.settled || len(x.held)+len(s) > heldBack { // otherwise there is no need to copy it
		return write(x, []byte(s))
	}
	return write(x, s)
}

// admit counts n bytes of the body, unless they cannot be sent.
func (x *exchange) admit(n int) error {
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	switch {
	case n == 0:
		return nil
	case !allowsBody(x.status):
		return http.ErrBodyNotAllowed
	}
	x.written += int64(n)
	if x.length >= 0 && x.written > x.length {
		return http.ErrContentLength
	}
	return x.err
}

// write sends a piece of the body, or holds it back. Like a bufio.Writer in front of
// net/http's chunks it fills what it holds before it settles the header.
func write[T []byte | string](x *exchange, p T) (int, error) {
	if !x.settled {
		if len(x.held)+len(p) <= heldBack {
			x.held = append(x.held, p...)
			return len(p), nil
		}
		filled := 0
		if len(x.held) > 0 {
			filled = heldBack - len(x.held)
			x.held = append(x.held, p[:filled]...)
		}
		x.settle(false, []byte(p[filled:]))
		n, err := x.emit([]byte(p[filled:]))
		return filled + n, err
	}
	return x.emit([]byte(p))
}

// settle writes the header, and what was held back, into the output. Ended says that this is
// the whole body. If nothing was held back, the body begins with next.
func (x *exchange) settle(ended bool, next []byte) {
	if x.settled {
		return
	}
	x.settled = true
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	body := allowsBody(x.status)
	x.sortFields()
	own := ended && body && !x.has.length && !x.unclear
	if own {
		x.length = int64(len(x.held))
	}
	x.chunked = body && x.length < 0
	x.closing = x.closing || x.has.closing || x.conn.front.stopping.Load()
	x.writeStatus()
	for _, f := range x.fields {
		if x.sends(f.name) {
			x.out = f.appendTo(x.out)
		}
	}
	if !x.has.date {
		x.field("Date: ", x.conn.front.clock.date())
	}
	if own {
		x.field("Content-Length: ", strconv.FormatInt(x.length, 10))
	}
	if len(x.held) > 0 {
		next = x.held
	}
	if body && len(next) > 0 && !x.has.contentType && !x.has.encoding {
		x.field("Content-Type: ", http.DetectContentType(next))
	}
	if x.closing && !x.has.closing {
		x.field("Connection: ", "close")
	}
	if x.chunked {
		x.field("Transfer-Encoding: ", "chunked")
	}
	x.out = append(x.out, newline...)
	if len(x.held) > 0 {
		_, _ = x.emit(x.held)
	}
}

func (x *exchange) field(name, value string) {
	x.out = append(append(append(x.out, name...), value...), newline...)
}

func (x *exchange) writeStatus() {
	if x.status == http.StatusOK {
		x.out = append(x.out, "HTTP/1.1 200 OK\r\n"...)
		return
	}
	x.out = strconv.AppendInt(append(x.out, "HTTP/1.1 "...), int64(x.status), 10)
	if text := http.StatusText(x.status); text != "" {
		x.out = append(append(x.out, ' '), text...)
	} else {
		x.out = strconv.AppendInt(append(x.out, " status code "...), int64(x.status), 10)
	}
	x.out = append(x.out, newline...)
}

// emit puts a part of the body behind the header, or sends both.
func (x *exchange) emit(p []byte) (int, error) {
	if x.chunked {
		x.out = append(strconv.AppendInt(x.out, int64(len(p)), 16), newline...)
	}
	if len(x.out)+len(p) <= outSize {
		x.out = append(x.out, p...)
	} else {
		x.send(p)
	}
	if x.chunked {
		x.out = append(x.out, newline...)
	}
	if x.err != nil {
		return 0, x.err
	}
	return len(p), nil
}

// Flush sends what was written so far.
func (x *exchange) Flush() error {
	x.settle(false, nil)
	x.send(nil)
	return x.err
}

// send sends the output and then p.
func (x *exchange) send(p []byte) {
	if x.err == nil {
		x.err = x.conn.send(x.out, p)
	}
	x.out = x.out[:0]
}

// Abort sends what was written if the answer was begun, and ends the connection.
func (x *exchange) Abort(begun bool) {
	if x.aborted {
		return
	}
	x.aborted = true
	if begun && x.conn.netConn.SetWriteDeadline(time.Now().Add(lastSend)) == nil {
		_ = x.Flush()
	}
	if x.err == nil {
		x.err = net.ErrClosed
	}
}

// end sends what is left of the answer. It reports whether the connection can be used for
// another one.
func (x *exchange) end() (usable bool) {
	if x.aborted {
		return false
	}
	x.settle(true, nil)
	if x.chunked {
		x.out = append(x.out, "0\r\n\r\n"...)
	}
	x.send(nil)
	short := x.length >= 0 && allowsBody(x.status) && x.written != x.length
	return x.err == nil && !x.closing && !short
}
