package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

// past is a deadline that has passed: a Read that waits returns, and a later one fails.
var past = time.Unix(1, 0)

// lastFlush is how long a caller has to receive what was written before the answer is cut.
const lastFlush = time.Second

// netHTTP is an Exchange of net/http, or of a server with the same interface. What this
// package knows of the inside of net/http is in this file.
type netHTTP struct {
	http.ResponseWriter
	r *http.Request
}

// OverNetHTTP returns the Exchange of a request that an http.Handler serves.
func OverNetHTTP(w http.ResponseWriter, r *http.Request) Exchange { return &netHTTP{w, r} }

func (x *netHTTP) control() *http.ResponseController {
	return http.NewResponseController(x.ResponseWriter)
}

func (x *netHTTP) WriteString(s string) (int, error) { return io.WriteString(x.ResponseWriter, s) }

func (x *netHTTP) Flush() error { return x.control().Flush() }

func (x *netHTTP) SetReadDeadline(t time.Time) error { return x.control().SetReadDeadline(t) }

// Read reads the body. A request without one comes from a test, never from a server.
func (x *netHTTP) Read(p []byte) (int, error) {
	if x.r.Body == nil {
		return 0, io.EOF
	}
	n, err := x.r.Body.Read(p)
	if err != nil && err != io.EOF {
		err = x.readError(err)
	}
	return n, err
}

func (x *netHTTP) readError(err error) error {
	var tooLarge *http.MaxBytesError // of a handler around this one
	var connection net.Error
	switch {
	case errors.As(err, &tooLarge):
		return &protocol.Error{Code: protocol.CodePayloadTooLarge}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &protocol.Error{Code: protocol.CodeRequestTimeout, Err: err}
	case x.r.ProtoMajor > 1, // the body consists of frames, and only a caller who leaves breaks it off
		errors.Is(err, io.ErrUnexpectedEOF), // the connection has ended, or the caller's half of it
		x.r.Context().Err() != nil, errors.Is(err, context.Canceled), errors.As(err, &connection):
		return &protocol.Error{Code: protocol.CodeRequestAborted, Err: err}
	}
	return err
}

// InterruptRead ends a Read by a deadline, which net/http takes for the end of the
// connection: it cancels the context. Without deadlines Read waits for the server's own
// timeout. If the caller has left, net/http cancels the context before Read returns.
func (x *netHTTP) InterruptRead() bool {
	left := x.r.ProtoMajor == 1 && errors.Is(x.r.Context().Err(), context.Canceled)
	_ = x.SetReadDeadline(past)
	return !left
}

// Duplex is for HTTP/1, where net/http reads the body to its end before it sends the answer.
func (x *netHTTP) Duplex() {
	if x.r.ProtoMajor == 1 {
		_ = x.control().EnableFullDuplex()
	}
}

// Buffering returns the type of the first wrapper that can neither be flushed nor unwrapped.
func (x *netHTTP) Buffering() string {
	w := x.ResponseWriter
	for {
		switch writer := w.(type) {
		case http.Flusher, interface{ FlushError() error }:
			return ""
		case interface{ Unwrap() http.ResponseWriter }:
			w = writer.Unwrap()
		default:
			return fmt.Sprintf("%T", w)
		}
	}
}

// CloseAfter does what a body over the limit of http.MaxBytesReader does: net/http closes
// the connection after the answer, and gives the caller time to read it.
func (x *netHTTP) CloseAfter() {
	_, _ = http.MaxBytesReader(x.innermost(), io.NopCloser(strings.NewReader("over")), 0).Read(make([]byte, 1))
}

func (x *netHTTP) Hijack() (net.Conn, bool) {
	hijacker, ok := x.innermost().(http.Hijacker)
	if !ok {
		return nil, false
	}
	conn, _, err := hijacker.Hijack()
	return conn, err == nil
}

// Abort ends the answer whatever the code around the handler does: HTTP/1.1 closes the
// connection without the end of the body, HTTP/1.0, where the end of the connection is the
// end of the body, resets it, and HTTP/2 resets the stream. The panic is for HTTP/3, whose
// streams quic-go resets from 0.65 on even if middleware recovers from it, and for writers
// that hide the connection.
func (x *netHTTP) Abort(begun bool) {
	if !x.abort(begun) {
		panic(http.ErrAbortHandler)
	}
}

func (x *netHTTP) abort(begun bool) bool {
	w := x.innermost()
	control := http.NewResponseController(w)
	if begun && control.SetWriteDeadline(time.Now().Add(lastFlush)) == nil {
		_ = control.Flush()
	}
	tcp, known := x.endingConn()
	if x.r.ProtoMajor == 1 && !x.r.ProtoAtLeast(1, 1) && !known {
		return x.reset()
	}
	if known {
		_ = tcp.SetLinger(0)
	}
	if err := control.SetWriteDeadline(past); err != nil {
		return errors.Is(err, net.ErrClosed) // the server has closed it, for example
	}
	if x.r.ProtoMajor == 2 {
		return true
	}
	_ = control.SetReadDeadline(past) // net/http looks for the end of the body before it closes
	// What is written now is never sent. net/http remembers the failure and ends the
	// connection silently; quic-go looks for an unfinished write.
	_, _ = w.Write([]byte{0})
	unsent := control.Flush() != nil // false if the byte is beyond the Content-Length
	return x.r.ProtoMajor == 1 && (unsent || x.reset())
}

// reset takes the connection from net/http and resets it.
func (x *netHTTP) reset() bool {
	conn, ok := x.Hijack()
	if !ok {
		return false
	}
	for { // TLS would close in good order
		secure, ok := conn.(*tls.Conn)
		if !ok {
			break
		}
		conn = secure.NetConn()
	}
	if tcp := bottom(conn); tcp != nil {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
	return true
}

// innermost returns the writer that all others wrap. The writers between hold back what is
// written, or refuse to hijack a connection that was written to, or panic.
func (x *netHTTP) innermost() http.ResponseWriter {
	w := x.ResponseWriter
	for {
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = wrapper.Unwrap()
	}
}

// lingerer is a connection that can be reset when it is closed.
type lingerer interface{ SetLinger(seconds int) error }

// bottom returns the connection below conn that can be reset, nil if there is none.
func bottom(conn net.Conn) lingerer {
	for {
		if tcp, ok := conn.(lingerer); ok {
			return tcp
		}
		wrapper, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		conn = wrapper.NetConn()
	}
}

type connKey struct{}

// ConnContext stores conn in the context of its requests, for callers of HTTP/1.0: see
// tunnel.ConnContext.
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	if tcp := bottom(conn); tcp != nil {
		return context.WithValue(ctx, connKey{}, tcp)
	}
	return ctx
}

// GuardEnd is for callers of HTTP/1.0. It does nothing without ConnContext.
func (x *netHTTP) GuardEnd() (release func(sent bool)) {
	tcp, ok := x.endingConn()
	if !ok {
		return func(bool) {}
	}
	_ = tcp.SetLinger(0)
	return func(sent bool) {
		if sent {
			_ = x.Flush()
		}
		_ = tcp.SetLinger(-1)
	}
}

// endingConn returns the connection of a caller of HTTP/1.0, whose end is the end of the
// answer. ConnContext has stored it.
func (x *netHTTP) endingConn() (lingerer, bool) {
	if x.r.ProtoAtLeast(1, 1) {
		return nil, false
	}
	tcp, ok := x.r.Context().Value(connKey{}).(lingerer)
	return tcp, ok
}

// shutdowns knows which servers of net/http shut down: Shutdown waits for handlers.
type shutdowns struct{ servers sync.Map } // of *http.Server to *atomic.Bool

// of returns a flag that is set when the server of r shuts down.
func (s *shutdowns) of(r *http.Request) *atomic.Bool {
	server, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	if !ok { // it is no server of net/http
		return new(atomic.Bool)
	}
	if stopping, known := s.servers.Load(server); known {
		return stopping.(*atomic.Bool)
	}
	stopping, known := s.servers.LoadOrStore(server, new(atomic.Bool))
	if !known {
		server.RegisterOnShutdown(func() { stopping.(*atomic.Bool).Store(true) })
	}
	return stopping.(*atomic.Bool)
}
