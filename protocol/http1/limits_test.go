package http1_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol/http1"
	"github.com/bluelibs/go-tunnel/protocol/serve"
)

// within are limits of time, of which zero is a long time.
type within struct{ park, idle, stall, total time.Duration }

func startWithin(t *testing.T, h handler, w within) *served {
	ln := newListener(t)
	for _, limit := range []*time.Duration{&w.park, &w.idle, &w.stall} {
		if *limit == 0 {
			*limit = time.Hour
		}
	}
	server := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	s := &served{front: http1.ListenWithin(ln, h, server, w.park, w.idle, w.stall, w.total), server: server, ended: make(chan error, 1)}
	go func() { s.ended <- server.Serve(s.front) }()
	t.Cleanup(func() { s.stop(t) })
	return s
}

func TestIdleConnectionsAreClosed(t *testing.T) { overBoth(t, testIdleConnectionsAreClosed) }

func testIdleConnectionsAreClosed(t *testing.T) {
	s := startWithin(t, echo, within{idle: 20 * time.Millisecond})
	unused, used := dial(t, s), dial(t, s)
	used.send(t, post("/plain/x", "1"))
	used.expect(t, "yes", "/plain/x 1")
	for _, c := range []*caller{unused, used} {
		rest, err := io.ReadAll(c)
		assert.NoError(t, err)
		assert.Empty(t, rest)
	}
}

// An idle connection has no buffers after a while. It serves requests as before.
func TestIdleConnectionsAreParked(t *testing.T) { overBoth(t, testIdleConnectionsAreParked) }

func testIdleConnectionsAreParked(t *testing.T) {
	s := startWithin(t, echo, within{park: time.Millisecond})
	unused, used := dial(t, s), dial(t, s)
	used.send(t, post("/plain/x", "1"))
	used.expect(t, "yes", "/plain/x 1")
	for range 3 {
		require.Eventually(t, func() bool { return s.front.Parked() == 2 }, hang, time.Millisecond)
		for _, c := range []*caller{unused, used} {
			c.send(t, post("/plain/a", "2")+post("/plain/b", "3"))
			c.expect(t, "yes", "/plain/a 2")
			c.expect(t, "yes", "/plain/b 3")
		}
	}
	require.Eventually(t, func() bool { return s.front.Parked() == 2 }, hang, time.Millisecond)
	unused.send(t, "GET /other HTTP/1.1\r\nHost: x\r\n\r\n")
	unused.expect(t, "no", "/other ")
	used.send(t, "P")
	used.send(t, post("/plain/x", "4")[1:])
	used.expect(t, "yes", "/plain/x 4")
}

// The memory of many idle connections is bounded, both ends included.
func TestMemoryOfIdleConnections(t *testing.T) { overBoth(t, testMemoryOfIdleConnections) }

func testMemoryOfIdleConnections(t *testing.T) {
	const connections = 400
	s := startWithin(t, echo, within{park: 10 * time.Millisecond})
	before := memory()
	callers := make([]net.Conn, connections)
	for i := range callers {
		conn, err := net.Dial("tcp", s.front.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, post("/plain/x", "body"))
		require.NoError(t, err)
		_, err = io.ReadFull(conn, make([]byte, 10))
		require.NoError(t, err)
		callers[i] = conn
	}
	require.Eventually(t, func() bool { return s.front.Parked() == connections }, hang, time.Millisecond)
	each := (memory() - before) / connections
	t.Logf("%d bytes each", each)
	assert.Less(t, each, 12<<10)
	runtime.KeepAlive(callers)
}

func memory() int {
	for range 3 { // stacks shrink by half at a time
		runtime.GC()
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapInuse + stats.StackInuse)
}

// A caller who does not read is let go, and holds up nobody.
func TestCallersWhoNeverRead(t *testing.T) { overBoth(t, testCallersWhoNeverRead) }

func testCallersWhoNeverRead(t *testing.T) {
	large := bytes.Repeat([]byte("x"), 8<<20)
	failed := make(chan error, 1)
	s := startWithin(t, func(x serve.Exchange, r *http.Request) {
		if r.RequestURI != "/plain/large" {
			echo(x, r)
			return
		}
		_, err := x.Write(large)
		failed <- err
		assert.Error(t, r.Context().Err())
	}, within{stall: 20 * time.Millisecond})
	silent, other := dial(t, s), dial(t, s)
	silent.send(t, post("/plain/large", ""))
	other.send(t, post("/plain/x", "1"))
	other.expect(t, "yes", "/plain/x 1")
	select {
	case err := <-failed:
		assert.ErrorContains(t, err, "timeout")
	case <-time.After(hang):
		t.Fatal("still writing")
	}
	require.Eventually(t, func() bool { return s.front.Stats().Connections == 1 }, hang, time.Millisecond)
	other.send(t, post("/plain/x", "2"))
	other.expect(t, "yes", "/plain/x 2")
}

// The server's WriteTimeout is for the call and its answer.
func TestWriteTimeout(t *testing.T) {
	long := make(chan struct{})
	s := startWithin(t, func(x serve.Exchange, r *http.Request) {
		if r.RequestURI == "/plain/long" {
			<-long
		}
		echo(x, r)
	}, within{total: 10 * time.Millisecond})
	c, other := dial(t, s), dial(t, s)
	c.send(t, post("/plain/long", "1"))
	time.AfterFunc(100*time.Millisecond, func() { close(long) })
	rest, err := io.ReadAll(c)
	assert.NoError(t, err)
	assert.Empty(t, rest)
	other.send(t, post("/plain/x", "2"))
	other.expect(t, "yes", "/plain/x 2")
}

func TestShutdownWaitsForAnswers(t *testing.T) { overBoth(t, testShutdownWaitsForAnswers) }

func testShutdownWaitsForAnswers(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	s := startWithin(t, func(x serve.Exchange, r *http.Request) {
		if r.RequestURI == "/plain/long" {
			arrived <- struct{}{}
			<-finish
		}
		echo(x, r)
	}, within{park: 20 * time.Millisecond})
	parked := dial(t, s)
	require.Eventually(t, func() bool { return s.front.Parked() == 1 }, hang, time.Millisecond)
	busy, idle := dial(t, s), dial(t, s)
	idle.send(t, post("/plain/x", "1"))
	idle.expect(t, "yes", "/plain/x 1")
	busy.send(t, post("/plain/long", "2")+post("/plain/next", "3"))
	<-arrived
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		assert.NoError(t, s.front.Shutdown(context.Background()))
	}()
	for _, c := range []*caller{parked, idle} {
		rest, err := io.ReadAll(c)
		assert.NoError(t, err)
		assert.Empty(t, rest)
	}
	_, err := net.Dial("tcp", s.front.Addr().String())
	assert.Error(t, err, "no more connections")
	select {
	case <-ended:
		t.Fatal("Shutdown has not waited")
	default:
	}
	close(finish)
	res, body := busy.answer(t)
	assert.Equal(t, "/plain/long 2", body)
	assert.True(t, res.Close, "Connection: close")
	rest, err := io.ReadAll(busy)
	assert.NoError(t, err)
	assert.Empty(t, rest, "the next request is not answered")
	<-ended
}

func TestShutdownGivesUp(t *testing.T) { overBoth(t, testShutdownGivesUp) }

func testShutdownGivesUp(t *testing.T) {
	arrived, cancelled := make(chan struct{}), make(chan struct{})
	s := start(t, func(x serve.Exchange, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
		close(cancelled)
	}, nil)
	c := dial(t, s)
	c.send(t, post("/plain/long", ""))
	<-arrived
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, s.front.Shutdown(ctx), context.Canceled)
	<-cancelled
	_, err := io.ReadAll(c)
	var timeout net.Error
	assert.False(t, errors.As(err, &timeout) && timeout.Timeout(), "the connection ends")
}

// What was not handed over by then never is.
func TestCloseEndsWhatWaits(t *testing.T) {
	front := http1.Listen(newListener(t), handler(echo), nil)
	s := &served{front: front}
	plain, odd := dial(t, s), dial(t, s)
	plain.send(t, post("/plain/x", "1"))
	plain.expect(t, "yes", "/plain/x 1")
	odd.send(t, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, front.Close())
	require.NoError(t, front.Close())
	_, _ = io.ReadAll(odd)
	_, _ = io.ReadAll(plain)
	_, err := front.Accept()
	assert.ErrorIs(t, err, net.ErrClosed)
	require.NoError(t, front.Shutdown(context.Background()))
}

// failing is a listener that fails, at first for a while only.
type failing struct {
	net.Listener
	errs []error
}

type temporary struct{ error }

func (temporary) Temporary() bool { return true }

func (f *failing) Accept() (net.Conn, error) {
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return nil, err
	}
	return f.Listener.Accept()
}

func TestListenersFail(t *testing.T) {
	lasting := errors.New("for good")
	var logged lockedText
	server := &http.Server{ErrorLog: log.New(&logged, "", 0)}
	front := http1.Listen(&failing{newListener(t), []error{temporary{errors.New("not now")}, lasting}}, handler(echo), server)
	assert.Equal(t, lasting, server.Serve(front))
	assert.Contains(t, logged.String(), "not now")
	require.NoError(t, front.Shutdown(context.Background()))
}

// Requests have the context that net/http would give them.
func TestContexts(t *testing.T) {
	type key struct{}
	conns := make(chan net.Conn, 1)
	server := &http.Server{
		BaseContext: func(net.Listener) context.Context { return context.WithValue(context.Background(), key{}, "base") },
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			conns <- conn
			return ctx
		},
	}
	s := start(t, func(x serve.Exchange, r *http.Request) {
		conn := <-conns
		conns <- conn
		assert.Equal(t, "base", r.Context().Value(key{}))
		assert.Equal(t, server, r.Context().Value(http.ServerContextKey))
		assert.Equal(t, conn.LocalAddr(), r.Context().Value(http.LocalAddrContextKey))
		assert.Equal(t, conn.RemoteAddr().String(), r.RemoteAddr)
		echo(x, r)
	}, server)
	c := dial(t, s)
	for range 2 {
		c.send(t, post("/plain/x", "1"))
		c.expect(t, "yes", "/plain/x 1")
	}
	assert.True(t, strings.HasPrefix(c.LocalAddr().String(), "127."))
}
