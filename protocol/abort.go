package protocol

import (
	"context"
	"net"
	"net/http"
	"time"
)

// past is a deadline that is over: what waits returns, what is begun fails.
var past = time.Unix(1, 0)

// Abort ends an answer that was begun and cannot be finished, so that the caller sees that
// it is cut whatever the code around the handler does: over HTTP/1 the connection is
// closed, with a reset where its end alone would look like that of the body, which is so
// for callers of HTTP/1.0; over HTTP/2 the stream is reset. It reports whether it could.
// If not, a panic with http.ErrAbortHandler is what is left: so it is over HTTP/3, whose
// streams quic-go resets from 0.65 on even if that panic is swallowed, and for writers
// that hide the connection. After it nothing can be sent.
func Abort(w http.ResponseWriter, r *http.Request) bool {
	w = innermost(w)
	if hijacker, ok := w.(http.Hijacker); ok && r.ProtoMajor == 1 {
		if conn, _, err := hijacker.Hijack(); err == nil {
			if !r.ProtoAtLeast(1, 1) {
				conn = resetting(conn)
			}
			_ = conn.Close()
			return true
		}
	}
	// In HTTP/2 it resets the stream. Elsewhere it keeps a body from being ended in good
	// order by those who recover the panic.
	err := http.NewResponseController(w).SetWriteDeadline(past)
	if err == nil && r.ProtoMajor > 2 {
		_, _ = w.Write([]byte{0}) // never sent: an unfinished write is what quic-go looks for
	}
	return err == nil && r.ProtoMajor == 2
}

// innermost returns the writer that all others wrap. Of those between, some refuse to
// hijack what was written to, and some panic.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = wrapper.Unwrap()
	}
}

// resetting returns the connection below conn, which is reset when it is closed; TLS
// would say good-bye in good order. Not every kind of connection knows a reset.
func resetting(conn net.Conn) net.Conn {
	tcp, below := bottom(conn)
	if tcp != nil {
		_ = tcp.SetLinger(0)
	}
	return below
}

// lingerer is a connection that may be reset when it is closed.
type lingerer interface{ SetLinger(seconds int) error }

// bottom returns the connection below conn, and that as a lingerer if it is one.
func bottom(conn net.Conn) (lingerer, net.Conn) {
	for {
		if tcp, ok := conn.(lingerer); ok {
			return tcp, conn
		}
		wrapper, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return nil, conn
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
	if tcp, _ := bottom(conn); tcp != nil {
		return context.WithValue(ctx, connKey{}, tcp)
	}
	return ctx
}

// HoldEnd makes whatever closes the connection of r reset it, if only its end tells a cut
// answer from a whole one and ConnContext has told of it. Release takes that back, for an
// answer that is whole or, with sent unset, for one that was not begun.
func HoldEnd(w http.ResponseWriter, r *http.Request) (release func(sent bool)) {
	tcp, ok := lingerer(nil), false
	if !r.ProtoAtLeast(1, 1) {
		tcp, ok = r.Context().Value(connKey{}).(lingerer)
	}
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
