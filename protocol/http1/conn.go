package http1

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// inSize is the least room for input.
const inSize = 4 << 10

// conn is a connection that the Front serves, in a goroutine of its own.
type conn struct {
	front   *Front
	netConn net.Conn
	first   [1]byte         // what a parked connection reads
	skipped uint8           // newlines since the last request
	remote  string          // the caller's address, once there was a request
	ctx     context.Context // of all its requests
	raw     *rawReader      // nil where it cannot wait without a buffer
	last    *lastHead       // nil if there is none, or the connection has been idle for long
	*work                   // nil while the connection has no buffers

	mu      sync.Mutex
	phase   phase
	since   int64              // the tick at which the phase began
	called  int64              // the tick at which the call began
	stopped bool               // a deadline was set from outside to end the phase
	gone    bool               // the connection was closed from outside
	cancel  context.CancelFunc // of the call
}

// phase is what a connection does, and so what may end it.
type phase uint8

const (
	active  phase = iota // for a bounded time
	idle                 // reads the first byte of a request
	parked               // the same, for so long that it keeps no memory for the next one
	calling              // the handler runs
	sending              // sends a part of the answer, while the handler runs or after it
	handing              // waits for Accept, and then belongs to others
)

// work is what a connection needs for a request.
type work struct {
	in      []byte // what was read, of which the first start bytes are used up
	start   int
	head    http.Request // that was read from the unread bytes
	size    int          // of that head, 0 if there is none
	bounded bool         // the read deadline for the rest of a request is set
	x       exchange
	watcher watcher
}

func newWork() *work {
	return &work{
		in: make([]byte, 0, inSize),
		x:  exchange{header: make(http.Header, 8), held: make([]byte, 0, 512), out: make([]byte, 0, 1024)},
	}
}

// release gives the memory for input and output to other connections.
func (c *conn) release() {
	w := c.work
	if c.work = nil; w == nil {
		return
	}
	w.in, w.start, w.size, w.head = w.in[:0], 0, 0, http.Request{}
	if cap(w.in) > inSize {
		w.in = make([]byte, 0, inSize)
	}
	w.x.begin(nil)
	w.x.conn = nil
	c.front.work.Put(w)
}

func (c *conn) acquire() {
	c.work = c.front.work.Get().(*work)
	c.x.conn = c
}

func (c *conn) unread() []byte { return c.in[c.start:] }

// serve serves the connection, and closes it if the Handler panics or ends the goroutine.
func (c *conn) serve() {
	served := false
	defer func() {
		if served {
			return
		}
		defer c.netConn.Close()                                    // after the log, as in net/http
		if v := recover(); v != nil && v != http.ErrAbortHandler { // a Handler recovers from its own panics
			c.front.logf("http1: panic serving %v: %v\n%s", c.netConn.RemoteAddr(), v, debug.Stack())
		}
	}()
	c.serveRequests()
	served = true
}

// serveRequests answers requests until the connection ends or is handed over.
func (c *conn) serveRequests() {
	c.acquire()
	c.raw = c.newRawReader()
	for {
		if c.skipNewlines(); len(c.unread()) == 0 {
			if !c.await() {
				_ = c.netConn.Close()
				c.release()
				return
			}
			continue
		}
		switch body, what := c.next(); what {
		case plain:
			if !c.call(body) {
				c.release()
				return
			}
		case short:
			if !c.more() {
				c.handOver()
				return
			}
		case odd:
			c.handOver()
			return
		}
	}
}

// maxNewlines is how many bytes of newlines may precede a request, as in net/http.
const maxNewlines = 4

// skipNewlines drops newlines that follow a body without counting for it. Old callers send
// them (RFC 9112, section 2.2), but not before their first request.
func (c *conn) skipNewlines() {
	for c.ctx != nil && c.skipped < maxNewlines && c.start < len(c.in) && (c.in[c.start] == '\r' || c.in[c.start] == '\n') {
		c.start++
		c.skipped++
	}
}

// await waits for the first bytes of a request. It reports false if none come.
func (c *conn) await() bool {
	c.reset()
	for next := idle; ; next = parked {
		if !c.enter(next) {
			return false
		}
		receive := c.receive
		if next == idle {
			receive = c.receiveDeep
		}
		n, err := receive(next)
		stopped := c.leave()
		if stopped && c.netConn.SetReadDeadline(time.Time{}) != nil {
			return false
		}
		switch {
		case n > 0:
			return true
		case !stopped && err != nil, next == parked:
			return false
		}
	}
}

// stackRoom is what receiveDeep keeps of the stack, in bytes.
const stackRoom = 1536

// receiveDeep is receive for a connection that was busy a moment ago. The garbage collector
// halves the stack of a goroutine that uses less than a quarter of it. With the stack of a
// call it would do so whenever a goroutine waits, and the next call would have to copy the
// stack twice to have it back. So this uses a quarter.
//
//go:noinline
func (c *conn) receiveDeep(phase phase) (n int, err error) {
	var room [stackRoom]byte
	n, err = c.receive(phase)
	runtime.KeepAlive(&room)
	return n, err
}

// receive reads the first bytes of a request into the input.
func (c *conn) receive(phase phase) (n int, err error) {
	switch {
	case c.raw != nil:
		return c.receiveRaw()
	case phase == parked:
		c.release()
		if n, err = c.netConn.Read(c.first[:]); n > 0 {
			c.acquire()
			c.in = append(c.in, c.first[:n]...)
		}
	default:
		n, err = c.netConn.Read(c.in[:cap(c.in)])
		c.in = c.in[:n]
	}
	return n, err
}

// reset makes room for input.
func (c *conn) reset() {
	if cap(c.in) > inSize {
		c.in = make([]byte, 0, inSize)
	}
	c.in, c.start = c.in[:0], 0
}

// next looks for a plain request in what was read, and returns its body.
func (c *conn) next() (body []byte, what verdict) {
	unread := c.unread()
	if c.size == 0 {
		if c.last == nil {
			c.last = new(lastHead)
		}
		size, what := c.last.read(&c.head, unread)
		if what != plain {
			return nil, what
		}
		if int64(size)+c.head.ContentLength > maxRequest || !c.front.handler.Plain(&c.head) {
			return nil, odd
		}
		c.size = size
	}
	total := c.size + int(c.head.ContentLength)
	if len(unread) < total {
		return nil, short
	}
	body = unread[c.size:total:total]
	c.start += total
	c.size = 0
	return body, plain
}

// more reads more of a request. It reports false if there is nothing soon.
func (c *conn) more() bool {
	room := maxHead
	if c.size > 0 {
		room = c.size + int(c.head.ContentLength)
	}
	unread := c.unread()
	switch {
	case room > cap(c.in):
		c.in = append(make([]byte, 0, room), unread...)
		c.start = 0
	case room > cap(c.in)-c.start:
		c.in = c.in[:copy(c.in, unread)]
		c.start = 0
	}
	if !c.bounded {
		c.bounded = true
		if c.netConn.SetReadDeadline(time.Now().Add(c.front.limits.patience)) != nil {
			return false
		}
	}
	n, err := c.netConn.Read(c.in[len(c.in):cap(c.in)])
	c.in = c.in[:len(c.in)+n]
	return n > 0 || err == nil
}

// clearDeadline removes the deadline for the rest of a request.
func (c *conn) clearDeadline() {
	if c.bounded {
		c.bounded = false
		_ = c.netConn.SetReadDeadline(time.Time{})
	}
}

// call answers a request. It reports false if the connection has ended.
func (c *conn) call(body []byte) bool {
	c.clearDeadline()
	c.skipped = 0
	ctx, cancel := context.WithCancel(c.context())
	defer cancel()
	r := c.head.WithContext(ctx)
	r.RemoteAddr, r.Body = c.remote, http.NoBody
	c.head = http.Request{}
	if !c.enterCall(cancel) {
		_ = c.netConn.Close()
		return false
	}
	c.front.served.Add(1)
	c.x.begin(body)
	// A caller that is far ahead is not watched: what it sends would pile up.
	watched := len(c.unread()) < maxSeen
	if watched {
		c.watch(cancel)
	}
	c.front.handler.ServeExchange(&c.x, r)
	var seen []byte
	if watched {
		seen = c.unwatch()
	}
	cancel()
	usable := c.x.end()
	if c.leave() || !usable || c.front.stopping.Load() {
		c.close(c.x.err == nil && !c.x.aborted)
		return false
	}
	if len(seen) > 0 {
		c.in = append(c.in[:copy(c.in, c.unread())], seen...)
		c.start = 0
	}
	return true
}

// context returns the context of all requests of the connection.
func (c *conn) context() context.Context {
	if c.ctx == nil {
		if addr := c.netConn.RemoteAddr(); addr != nil {
			c.remote = addr.String()
		}
		ctx := c.front.base
		if c.front.connContext != nil {
			ctx = c.front.connContext(ctx, c.netConn)
		}
		c.ctx = context.WithValue(ctx, http.LocalAddrContextKey, c.netConn.LocalAddr())
	}
	return c.ctx
}

const (
	// drainTime and drainBytes bound what is received after the last answer: a caller that is
	// still sending could not read the answer if the connection was closed at once.
	drainTime  = 500 * time.Millisecond
	drainBytes = 256 << 10
)

// close closes the connection. Answered says that the caller has an answer to read.
func (c *conn) close(answered bool) {
	defer c.netConn.Close()
	half, ok := c.netConn.(halfCloser)
	if !answered || !ok || half.CloseWrite() != nil || c.netConn.SetReadDeadline(time.Now().Add(drainTime)) != nil {
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(onlyReader{c.netConn}, drainBytes))
}

// onlyReader hides the methods by which io.Copy would splice.
type onlyReader struct{ io.Reader }

// handOver gives the connection to Accept.
func (c *conn) handOver() {
	var unread []byte
	if c.work != nil {
		unread = append(unread, c.unread()...)
		c.clearDeadline()
		c.release()
	}
	if !c.hand() {
		_ = c.netConn.Close()
		return
	}
	conn := withUnread(c.netConn, unread)
	c.front.handedOver.Add(1)
	select {
	case c.front.handed <- conn:
	case <-c.front.closed:
		c.front.handedOver.Add(-1)
		_ = conn.Close()
	}
}

// maxSend is how much must be taken within the time for which a caller may stall.
const maxSend = 64 << 10

// send sends a, then b.
func (c *conn) send(a, b []byte) error {
	for len(a)+len(b) > 0 {
		part := b[:min(len(b), maxSend)]
		b = b[len(part):]
		c.move(calling, sending)
		err := writeBoth(c.netConn, a, part)
		a = nil
		if c.move(sending, calling); err != nil {
			c.end()
			return err
		}
	}
	return nil
}

func writeBoth(to net.Conn, a, b []byte) (err error) {
	switch {
	case len(b) == 0:
		_, err = to.Write(a)
	case len(a) == 0:
		_, err = to.Write(b)
	default:
		both := net.Buffers{a, b}
		_, err = both.WriteTo(to)
	}
	return err
}
