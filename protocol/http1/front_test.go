package http1_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/protocol/http1"
	"github.com/bluelibs/go-tunnel/protocol/serve"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hang is how long a test waits for what comes at once unless something is wrong.
const hang = 30 * time.Second

// handler answers plain requests, and those of net/http, with the same function.
type handler func(x serve.Exchange, r *http.Request)

func (h handler) Plain(r *http.Request) bool { return strings.HasPrefix(r.RequestURI, "/plain/") }

func (h handler) ServeExchange(x serve.Exchange, r *http.Request) {
	x.Header()["Front"] = []string{"yes"}
	h(x, r)
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header()["Front"] = []string{"no"}
	h(serve.OverNetHTTP(w, r), r)
}

// echo answers with the target and the body.
func echo(x serve.Exchange, r *http.Request) {
	body, err := io.ReadAll(x)
	if err != nil {
		x.WriteHeader(http.StatusBadRequest)
		return
	}
	fmt.Fprintf(x, "%s %s", r.RequestURI, body)
}

// served is a Front with the http.Server behind it.
type served struct {
	front  *http1.Front
	server *http.Server
	ended  chan error
}

func start(t *testing.T, h handler, server *http.Server) *served {
	t.Helper()
	ln := newListener(t)
	if server == nil {
		server = &http.Server{ReadHeaderTimeout: hang}
	}
	if server.Handler == nil {
		server.Handler = h
	}
	if server.ErrorLog == nil {
		server.ErrorLog = log.New(io.Discard, "", 0)
	}
	s := &served{front: http1.Listen(ln, h, server), server: server, ended: make(chan error, 1)}
	go func() { s.ended <- server.Serve(s.front) }()
	t.Cleanup(func() { s.stop(t) })
	return s
}

func newListener(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	if strings.Contains(t.Name(), "/portable") {
		return hiding{ln}
	}
	return ln
}

// overBoth runs a test with the connections of the system, and with connections of which a
// Front knows nothing, as on systems other than Unix.
func overBoth(t *testing.T, test func(t *testing.T)) {
	t.Run("raw", test)
	t.Run("portable", test)
}

// hiding is a listener that hides the types of its connections.
type hiding struct{ net.Listener }

func (h hiding) Accept() (net.Conn, error) {
	conn, err := h.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return hidden{conn}, nil
}

type hidden struct{ net.Conn }

// CloseWrite is what net/http looks for too.
func (h hidden) CloseWrite() error { return h.Conn.(halfCloser).CloseWrite() }

type halfCloser interface{ CloseWrite() error }

// stop stops in the order of the documentation, once.
func (s *served) stop(t *testing.T) {
	if s.ended == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	assert.NoError(t, s.front.Shutdown(ctx))
	select {
	case err := <-s.ended:
		t.Errorf("Serve has ended before its Shutdown: %v", err)
	default:
	}
	_ = s.server.Shutdown(ctx)
	_ = s.server.Close()
	assert.Equal(t, http.ErrServerClosed, <-s.ended)
	s.ended = nil
}

// caller is a connection to a server.
type caller struct {
	net.Conn
	*bufio.Reader
}

func dial(t *testing.T, s *served) *caller {
	t.Helper()
	conn, err := net.Dial("tcp", s.front.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(hang)))
	return &caller{conn, bufio.NewReader(conn)}
}

func (c *caller) Read(p []byte) (int, error) { return c.Reader.Read(p) }

func (c *caller) send(t *testing.T, text string) {
	t.Helper()
	_, err := io.WriteString(c.Conn, text)
	require.NoError(t, err)
}

// answer reads the next answer with its body.
func (c *caller) answer(t *testing.T) (*http.Response, string) {
	t.Helper()
	res, err := http.ReadResponse(c.Reader, nil)
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(body)
}

func (c *caller) expect(t *testing.T, front, body string) {
	t.Helper()
	res, got := c.answer(t)
	assert.Equal(t, front, res.Header.Get("Front"), "served by the front")
	assert.Equal(t, body, got)
}

func post(target, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", target, len(body), body)
}

func TestPlainRequestsAreServed(t *testing.T) { overBoth(t, testPlainRequestsAreServed) }

func testPlainRequestsAreServed(t *testing.T) {
	c := dial(t, start(t, echo, nil))
	for i := range 3 {
		body := fmt.Sprint("body ", i)
		c.send(t, post("/plain/x", body))
		c.expect(t, "yes", "/plain/x "+body)
	}
	c.send(t, post("/plain/x", ""))
	c.expect(t, "yes", "/plain/x ")
	large := strings.Repeat("x", 60<<10)
	c.send(t, post("/plain/x", large)+post("/plain/y", large))
	c.expect(t, "yes", "/plain/x "+large)
	c.expect(t, "yes", "/plain/y "+large)
}

func TestOtherRequestsAreHandedOver(t *testing.T) {
	large := strings.Repeat("x", 64<<10)
	for name, c := range map[string]struct{ request, answer string }{
		"method":   {"GET /plain/x HTTP/1.1\r\nHost: x\r\n\r\n", "/plain/x "},
		"path":     {post("/other", "1"), "/other 1"},
		"query":    {post("/plain/x?y", "1"), "/plain/x?y 1"},
		"chunked":  {"POST /plain/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "/plain/x abc"},
		"too long": {post("/plain/x", large), "/plain/x " + large},
		"length":   {"POST /plain/x HTTP/1.1\r\nHost: x\r\n\r\n", "/plain/x "},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, echo, nil)
			first := dial(t, s)
			first.send(t, c.request+post("/plain/next", "2"))
			first.expect(t, "no", c.answer)
			first.expect(t, "no", "/plain/next 2") // for good
			second := dial(t, s)
			second.send(t, post("/plain/before", "0")+c.request+post("/plain/next", "2"))
			second.expect(t, "yes", "/plain/before 0")
			second.expect(t, "no", c.answer)
			second.expect(t, "no", "/plain/next 2")
		})
	}
}

// A request that comes slowly is net/http's, however much of it has come.
func TestSlowRequestsAreHandedOver(t *testing.T) { overBoth(t, testSlowRequestsAreHandedOver) }

func testSlowRequestsAreHandedOver(t *testing.T) {
	request := post("/plain/x", "body")
	s := start(t, echo, nil)
	for _, cut := range []int{1, 5, 20, len(request) - 4, len(request) - 1} {
		t.Run(fmt.Sprint(cut), func(t *testing.T) {
			t.Parallel()
			c := dial(t, s)
			c.send(t, post("/plain/before", "1")+request[:cut])
			c.expect(t, "yes", "/plain/before 1")
			time.Sleep(2 * http1.Patience)
			c.send(t, request[cut:])
			c.expect(t, "no", "/plain/x body")
		})
	}
}

// The server's own limit is for slow heads.
func TestSlowHeadsEndByTheServersLimit(t *testing.T) {
	c := dial(t, start(t, echo, &http.Server{ReadHeaderTimeout: time.Millisecond}))
	c.send(t, "POST /plain/x HTTP/1.1\r\nHost")
	_, err := io.ReadAll(c)
	assert.NoError(t, err, "the connection ends")
}

func TestHalfCloseAndReset(t *testing.T) { overBoth(t, testHalfCloseAndReset) }

func testHalfCloseAndReset(t *testing.T) {
	s := start(t, echo, nil)
	for _, unread := range []string{"", "P", "POST /plain/x HT", "GET / HTTP/1.1\r\n"} {
		half, reset := dial(t, s), dial(t, s)
		half.send(t, post("/plain/x", "1")+unread)
		require.NoError(t, half.Conn.(*net.TCPConn).CloseWrite())
		half.expect(t, "yes", "/plain/x 1")
		_, err := io.ReadAll(half)
		assert.NoError(t, err, "the connection ends")
		reset.send(t, post("/plain/x", "1")+unread)
		reset.expect(t, "yes", "/plain/x 1")
		require.NoError(t, reset.Conn.(*net.TCPConn).SetLinger(0))
		require.NoError(t, reset.Conn.Close())
	}
	c := dial(t, s)
	c.send(t, post("/plain/x", "2"))
	c.expect(t, "yes", "/plain/x 2")
}

// The context of a call ends when its caller leaves, whatever other calls do.
func TestCallersWhoLeave(t *testing.T) { overBoth(t, testCallersWhoLeave) }

func testCallersWhoLeave(t *testing.T) {
	begun, left := make(chan string), make(chan string)
	s := start(t, func(x serve.Exchange, r *http.Request) {
		if body, _ := io.ReadAll(x); len(body) > 0 {
			begun <- string(body)
			<-r.Context().Done()
			left <- string(body)
			return
		}
		_, _ = io.WriteString(x, "1")
	}, nil)
	other := dial(t, s)
	for how, leave := range map[string]func(conn *net.TCPConn) error{
		"close": (*net.TCPConn).Close,
		"half":  (*net.TCPConn).CloseWrite,
		"reset": func(conn *net.TCPConn) error { return errors.Join(conn.SetLinger(0), conn.Close()) },
	} {
		c := dial(t, s)
		c.send(t, post("/plain/x", how))
		assert.Equal(t, how, <-begun)
		require.NoError(t, leave(c.Conn.(*net.TCPConn)))
		select {
		case got := <-left:
			assert.Equal(t, how, got)
		case <-time.After(hang):
			t.Fatal("the call goes on")
		}
		other.send(t, post("/plain/x", ""))
		other.expect(t, "yes", "1")
	}
}

// What a caller sends while its call runs long is its next request.
func TestPipelinedBehindALongCall(t *testing.T) { overBoth(t, testPipelinedBehindALongCall) }

func testPipelinedBehindALongCall(t *testing.T) {
	arrived, next := make(chan struct{}), make(chan struct{})
	s := start(t, func(x serve.Exchange, r *http.Request) {
		if r.RequestURI == "/plain/long" {
			arrived <- struct{}{}
			time.Sleep(3 * http1.WatchAfter) // until somebody watches
			next <- struct{}{}
			time.Sleep(http1.WatchAfter)
		}
		echo(x, r)
	}, nil)
	c := dial(t, s)
	c.send(t, post("/plain/long", "1")+post("/plain/a", "2")[:20])
	<-arrived
	<-next
	c.send(t, post("/plain/a", "2")[20:]+post("/plain/long", "3")[:7])
	c.expect(t, "yes", "/plain/long 1")
	c.expect(t, "yes", "/plain/a 2")
	c.send(t, post("/plain/long", "3")[7:])
	<-arrived
	<-next
	c.expect(t, "yes", "/plain/long 3")
}

// What a caller sends ahead of its answers does not pile up.
func TestPipelinedWithoutEnd(t *testing.T) { overBoth(t, testPipelinedWithoutEnd) }

func testPipelinedWithoutEnd(t *testing.T) {
	const calls = 20
	room := 0
	s := start(t, func(x serve.Exchange, r *http.Request) {
		time.Sleep(2 * http1.WatchAfter) // for the watcher to read
		room = max(room, http1.Room(x))
		echo(x, r)
	}, &http.Server{})
	c := dial(t, s)
	c.send(t, strings.Repeat(post("/plain/x", strings.Repeat("1", 2000)), calls))
	for range calls {
		c.expect(t, "yes", "/plain/x "+strings.Repeat("1", 2000))
	}
	assert.LessOrEqual(t, room, 16<<10)
}

func TestPanicsEndTheirConnectionOnly(t *testing.T) {
	var logged lockedText
	s := start(t, func(x serve.Exchange, r *http.Request) {
		if r.RequestURI != "/plain/x" {
			panic(r.RequestURI)
		}
		echo(x, r)
	}, &http.Server{ErrorLog: log.New(&logged, "", 0)})
	c, other := dial(t, s), dial(t, s)
	c.send(t, post("/plain/panic", ""))
	_, err := io.ReadAll(c)
	assert.NoError(t, err)
	assert.Contains(t, logged.String(), "/plain/panic")
	other.send(t, post("/plain/x", ""))
	other.expect(t, "yes", "/plain/x ")
}

type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
