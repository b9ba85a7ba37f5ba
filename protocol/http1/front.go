package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluelibs/go-tunnel/protocol/serve"
)

// Handler answers the requests that a Front serves. A tunnel.Handler is one. Its methods are
// called concurrently.
type Handler interface {
	// Plain reports whether r is a request that ServeExchange answers without anything else
	// that may stand around the http.Handler, and whose body may be in memory. It is called
	// before r has a context, and must not keep it.
	Plain(r *http.Request) bool
	// ServeExchange answers a request. See serve.Exchange.
	ServeExchange(x serve.Exchange, r *http.Request)
}

const (
	// defaultIdle is how long a connection may wait for its next request.
	defaultIdle = 2 * time.Minute
	// stall is how long a caller may take nothing of an answer that is sent.
	stall = 30 * time.Second
	// patience is how long the rest of a request may take before the connection is handed over.
	patience = 250 * time.Millisecond
	// parkAfter is how long an idle connection keeps its buffers.
	parkAfter = time.Second
	// maxRequest is the longest plain request, with its head.
	maxRequest = 64 << 10
)

// Front is a listener that answers plain requests itself. It hands every other connection
// over to Accept, and so to an http.Server, before anything of that request is consumed. It
// never takes a connection back.
//
// A connection is handed over at the first request that is not plain: any other method, path
// or version, a chunked, compressed, multipart or octet-stream body, one without a length or
// longer than 64 KiB, a repeated header field, an Expect, an Upgrade, a Connection field but
// keep-alive, characters beyond printable ASCII, and a request that has begun but has not
// arrived whole after a quarter of a second. So slow callers have the http.Server's limits.
// TLS is handed over at once, below and above the Front.
//
// Requests that a Front serves pass by the http.Server: its Handler with middleware and mux,
// its ConnState and SetKeepAlivesEnabled. Its Shutdown alone does not wait for them. Their
// contexts have the values of its BaseContext and ConnContext; ConnContext is called concurrently,
// and again for a connection that is handed over later. To bound the number of connections, bound those of
// the listener, by netutil.LimitListener of golang.org/x/net for example.
//
// A Front is safe for concurrent use.
type Front struct {
	listener    net.Listener
	handler     Handler
	base        context.Context
	connContext func(context.Context, net.Conn) context.Context
	errorLog    *log.Logger
	limits      limits

	handed   chan net.Conn
	closed   chan struct{} // by Close
	failed   chan struct{} // when the listener has failed with err
	err      error
	stopOnce sync.Once
	stopErr  error
	shutOnce sync.Once
	stopping atomic.Bool
	own      sync.WaitGroup // the goroutines that accept and sweep

	mu          sync.Mutex
	conns       map[*conn]struct{}
	empty       chan struct{} // closed when the Front stops and has no connections
	emptyClosed bool

	ticks atomic.Int64 // of the sweeper
	work  sync.Pool    // of *work
	clock clock

	served, handedOver atomic.Int64
}

// Stats are what a Front has done since it was made.
type Stats struct {
	// Connections is how many connections are open, without those that were handed over.
	Connections int
	// Served is how many requests the Front has answered itself, or is answering now.
	Served int64
	// HandedOver is how many connections it has handed over, or that wait for it.
	HandedOver int64
}

// Stats returns what the Front has done.
func (f *Front) Stats() Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Stats{len(f.conns), f.served.Load(), f.handedOver.Load()}
}

// limits are bounds of time, in ticks of the sweeper.
type limits struct {
	tick               time.Duration
	park, idle, stall  int64
	total              int64 // of a call and its answer, 0 for none
	patience, watching time.Duration
}

// Listen returns a Front for ln and starts to accept connections. If server, which will serve
// what is handed over, is not nil, its IdleTimeout, or its ReadTimeout, bounds the time between
// requests, its WriteTimeout that of a call and its answer, and its ErrorLog gets panics.
// Without it, or if these are zero, a connection may be idle for two minutes, and a call may
// take any time. A caller that takes nothing of an answer for 30 s is let go.
//
// Do not change server afterwards. Call Shutdown to stop.
func Listen(ln net.Listener, handler Handler, server *http.Server) *Front {
	given := server
	if server == nil {
		server = new(http.Server)
	}
	idle := server.IdleTimeout
	if idle <= 0 {
		idle = server.ReadTimeout
	}
	if idle <= 0 {
		idle = defaultIdle
	}
	f := newFront(ln, handler, server, newLimits(idle, max(0, server.WriteTimeout)))
	if given != nil {
		f.base = context.WithValue(f.base, http.ServerContextKey, given)
	}
	f.start()
	return f
}

func newFront(ln net.Listener, handler Handler, server *http.Server, l limits) *Front {
	f := &Front{
		listener:    ln,
		handler:     handler,
		connContext: server.ConnContext,
		errorLog:    server.ErrorLog,
		handed:      make(chan net.Conn),
		closed:      make(chan struct{}),
		failed:      make(chan struct{}),
		conns:       map[*conn]struct{}{},
		empty:       make(chan struct{}),
		limits:      l,
	}
	f.base = context.Background()
	if server.BaseContext != nil {
		f.base = server.BaseContext(f)
	}
	f.work.New = func() any { return newWork() }
	return f
}

// newLimits returns the limits for these times. The sweeper's ticks are short enough for each.
func newLimits(idle, total time.Duration) limits {
	tick := min(parkAfter, idle/4)
	if total > 0 {
		tick = min(tick, total/4)
	}
	tick = max(tick, time.Millisecond)
	ticks := func(d time.Duration) int64 { return int64((d + tick - 1) / tick) }
	return limits{
		tick: tick, park: ticks(parkAfter), idle: ticks(idle), stall: ticks(stall), total: ticks(total),
		patience: patience, watching: watchAfter,
	}
}

func (f *Front) start() {
	f.own.Go(f.accept)
	f.own.Go(f.sweep)
}

// Accept returns the next connection that is handed over. The first bytes that it reads are
// those of the request that is not plain.
func (f *Front) Accept() (net.Conn, error) {
	select {
	case conn := <-f.handed:
		return conn, nil
	case <-f.failed:
		return nil, f.err
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

// Addr returns the address of the listener.
func (f *Front) Addr() net.Addr { return f.listener.Addr() }

// Close closes the listener. Idle connections are closed, the others when their answers are
// sent. Nothing is handed over any more. An http.Server calls Close when it stops. Close
// does not wait.
func (f *Front) Close() error {
	err := f.stop()
	f.shutOnce.Do(func() { close(f.closed) })
	return err
}

// Shutdown stops like Close, and waits until all answers are sent. If ctx is done before, the
// remaining connections are closed, the contexts of their calls are cancelled, and the error
// of ctx is returned at once. Accept goes on until Close, for the connections that wait to be handed
// over: call Shutdown of the http.Server afterwards. Without a server that serves, call Close first.
func (f *Front) Shutdown(ctx context.Context) error {
	err := f.stop()
	select {
	case <-f.empty:
	default:
		select {
		case <-f.empty:
		case <-ctx.Done():
			f.abandon()
			return errors.Join(ctx.Err(), err)
		}
	}
	f.own.Wait()
	return err
}

// stop stops accepting, and ends the connections that are idle.
func (f *Front) stop() error {
	f.stopOnce.Do(func() {
		f.stopping.Store(true)
		if err := f.listener.Close(); !errors.Is(err, net.ErrClosed) {
			f.stopErr = err
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		for c := range f.conns {
			c.interrupt()
		}
		f.noteEmpty()
	})
	return f.stopErr
}

// abandon closes all connections.
func (f *Front) abandon() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		c.abandon()
	}
}

// noteEmpty is called under the lock.
func (f *Front) noteEmpty() {
	if f.stopping.Load() && len(f.conns) == 0 && !f.emptyClosed {
		f.emptyClosed = true
		close(f.empty)
	}
}

// Bounds of the time between two attempts to accept a connection.
const (
	minRetry = 5 * time.Millisecond
	maxRetry = time.Second
)

// accept starts a goroutine for each connection. Like net/http it waits a little when the
// process has no file descriptors left, for example.
func (f *Front) accept() {
	for retry := minRetry; ; {
		conn, err := f.listener.Accept()
		if err == nil {
			retry = minRetry
			f.add(conn)
			continue
		}
		var temporary interface{ Temporary() bool }
		if f.stopping.Load() || !errors.As(err, &temporary) || !temporary.Temporary() {
			f.err = err
			if !f.stopping.Load() {
				close(f.failed)
			}
			return
		}
		f.logf("http1: accept error: %v; retrying in %v", err, retry)
		select {
		case <-time.After(retry):
		case <-f.empty: // the Front stops
			return
		}
		retry = min(2*retry, maxRetry)
	}
}

// add serves a connection.
func (f *Front) add(netConn net.Conn) {
	c := &conn{front: f, netConn: netConn}
	f.mu.Lock()
	if f.stopping.Load() {
		f.mu.Unlock()
		_ = netConn.Close()
		return
	}
	f.conns[c] = struct{}{}
	f.mu.Unlock()
	go func() {
		defer f.remove(c)
		if _, secure := netConn.(interface{ ConnectionState() tls.ConnectionState }); secure {
			c.handOver() // net/http looks for its type
			return
		}
		c.serve()
	}()
}

func (f *Front) remove(c *conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, c)
	f.noteEmpty()
}

// sweep looks at all connections at each tick, which costs less than deadlines at each read
// and each write.
func (f *Front) sweep() {
	ticker := time.NewTicker(f.limits.tick)
	defer ticker.Stop()
	for {
		select {
		case <-f.empty:
			return
		case <-ticker.C:
		}
		now := f.ticks.Add(1)
		f.mu.Lock()
		for c := range f.conns {
			c.look(now, &f.limits)
		}
		f.mu.Unlock()
	}
}

func (f *Front) logf(format string, args ...any) {
	if f.errorLog != nil {
		f.errorLog.Printf(format, args...)
	} else {
		log.Printf(format, args...)
	}
}
