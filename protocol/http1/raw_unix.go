//go:build unix

package http1

import (
	"io"
	"net"
	"syscall"
)

// rawReader waits for input without a buffer to read it into. Nothing is read that netConn
// would not have read: the types are those of package net, without anything around them.
type rawReader struct {
	conn syscall.RawConn
	try  func(fd uintptr) bool
	n    int
	err  error
}

// newRawReader returns the rawReader of a connection, nil if there is none.
func (c *conn) newRawReader() *rawReader {
	var of syscall.Conn
	switch netConn := c.netConn.(type) {
	case *net.TCPConn:
		of = netConn
	case *net.UnixConn:
		of = netConn
	default:
		return nil
	}
	raw, err := of.SyscallConn()
	if err != nil {
		return nil
	}
	r := &rawReader{conn: raw}
	r.try = func(fd uintptr) bool { return c.tryRead(int(fd)) }
	return r
}

// receiveRaw reads into the input, and holds none of it until there is something to read.
func (c *conn) receiveRaw() (n int, err error) {
	if err := c.raw.conn.Read(c.raw.try); err != nil {
		return 0, err
	}
	return c.raw.n, c.raw.err
}

// tryRead reports whether a read has had a result.
func (c *conn) tryRead(fd int) bool {
	if c.work == nil {
		c.acquire()
	}
	n, err := syscall.Read(fd, c.in[:cap(c.in)])
	for err == syscall.EINTR {
		n, err = syscall.Read(fd, c.in[:cap(c.in)])
	}
	if err == syscall.EAGAIN {
		c.release()
		return false
	}
	if n == 0 && err == nil {
		err = io.EOF
	}
	n = max(n, 0)
	c.in = c.in[:n]
	c.raw.n, c.raw.err = n, err
	return true
}
