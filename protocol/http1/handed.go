package http1

import (
	"io"
	"net"
)

// handed is a connection whose first bytes were read before it was handed over.
type handed struct {
	net.Conn
	unread []byte
}

// withUnread returns conn as it was before unread was read from it.
func withUnread(conn net.Conn, unread []byte) net.Conn {
	if len(unread) == 0 {
		return conn
	}
	return &handed{Conn: conn, unread: unread}
}

// Read reads what was read before, then the connection. A deadline does not hold for what
// was read before. Like net/http, it is for one goroutine at a time.
func (h *handed) Read(p []byte) (int, error) {
	if len(h.unread) == 0 {
		return h.Conn.Read(p)
	}
	n := copy(p, h.unread)
	if h.unread = h.unread[n:]; len(h.unread) == 0 {
		h.unread = nil // the memory is free
	}
	return n, nil
}

// ReadFrom lets the connection send files without a copy.
func (h *handed) ReadFrom(r io.Reader) (int64, error) { return io.Copy(h.Conn, r) }

// CloseWrite closes the half of the connection that is written, as net/http does before it
// closes a connection whose caller may be sending.
func (h *handed) CloseWrite() error {
	if half, ok := h.Conn.(halfCloser); ok {
		return half.CloseWrite()
	}
	return nil
}

// NetConn returns the connection below, for options of TCP. What was read before cannot be
// read from it.
func (h *handed) NetConn() net.Conn { return h.Conn }

type halfCloser interface{ CloseWrite() error }
