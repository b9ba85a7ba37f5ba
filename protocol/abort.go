package protocol

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"
)

// past is a deadline that is over: what waits returns, what is begun fails.
var past = time.Unix(1, 0)

// lastFlush is how long a caller has to take what was written before the answer is cut.
const lastFlush = time.Second

// Abort ends an answer that cannot be finished, so that the caller sees that it is cut
// whatever the code around the handler does: HTTP/1.1 closes the connection without the end
// of the body, HTTP/1.0, where the end of the connection is that of the body, resets it, and
// HTTP/2 resets the stream. What was written before is sent if begun is set, which says that
// the answer was begun. It reports whether it could. If not, a panic with
// http.ErrAbortHandler is what is left: so it is over HTTP/3, whose streams quic-go resets
// from 0.65 on even if that panic is swallowed, and for writers that hide the connection.
// After it nothing can be sent.
func Abort(w http.ResponseWriter, r *http.Request, begun bool) bool {
	w = innermost(w)
	control := http.NewResponseController(w)
	if begun && control.SetWriteDeadline(time.Now().Add(lastFlush)) == nil {
		_ = control.Flush()
	}
	tcp, known := heldConn(r)
	if r.ProtoMajor == 1 && !r.ProtoAtLeast(1, 1) && !known {
		return reset(w)
	}
	if known {
		_ = tcp.SetLinger(0)
	}
	if err := control.SetWriteDeadline(past); err != nil {
		return errors.Is(err, net.ErrClosed) // by the server's end, say
	}
	if r.ProtoMajor == 2 {
		return true
	}
	_ = control.SetReadDeadline(past) // net/http looks for the end of the body before it closes
	// What is written now is never sent. net/http remembers that it could not be, and ends
	// the connection without a word; an unfinished write is what quic-go looks for.
	_, _ = w.Write([]byte{0})
	unsent := control.Flush() != nil // or there was no room for it in what the header has promised
	return r.ProtoMajor == 1 && (unsent || reset(w))
}

// reset takes the connection of w from net/http, and resets it.
func reset(w http.ResponseWriter) bool {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		return false
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		return false
	}
	for { // TLS would say good-bye in good order
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

// innermost returns the writer that all others wrap: of those between, some hold back what
// is written, and some refuse to hijack what was written to, or panic.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = wrapper.Unwrap()
	}
}

// lingerer is a connection that may be reset when it is closed.
type lingerer interface{ SetLinger(seconds int) error }

// bottom returns the connection below conn that may be reset, nil for one of another kind.
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

// ConnContext is for the ConnContext of an http.Server that has callers of HTTP/1.0, such
// as an nginx that was not told otherwise. Their answers end with the connection: with it,
// one that is under way when the server is closed, or its process killed, does not look
// whole to them.
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	if tcp := bottom(conn); tcp != nil {
		return context.WithValue(ctx, connKey{}, tcp)
	}
	return ctx
}

// HoldEnd makes whatever closes the connection of r reset it, if only its end tells a cut
// answer from a whole one and ConnContext has told of it. Release takes that back, for an
// answer that is whole or, with sent unset, for one that was not begun.
func HoldEnd(w http.ResponseWriter, r *http.Request) (release func(sent bool)) {
	tcp, ok := heldConn(r)
	if !ok {
		return func(bool) {}
	}
	_ = tcp.SetLinger(0)
	return func(sent bool) {
		if sent {
			_ = http.NewResponseController(w).Flush()
		}
		_ = tcp.SetLinger(-1)
	}
}

// heldConn returns the connection of a caller of HTTP/1.0 that ConnContext has told of.
func heldConn(r *http.Request) (lingerer, bool) {
	if r.ProtoAtLeast(1, 1) {
		return nil, false
	}
	tcp, ok := r.Context().Value(connKey{}).(lingerer)
	return tcp, ok
}
