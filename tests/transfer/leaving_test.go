package transfer_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

// leftTasks never end by themselves: "waits" reads what it is sent and then waits for its
// caller to leave, "streams" answers for ever.
const leftTasks = `
import { Readable } from "node:stream";
const gone = (signal) => new Promise((_, reject) => {
  if (signal.aborted) reject(signal.reason);
  signal.addEventListener("abort", () => reject(signal.reason));
});
const read = async (source) => { for await (const chunk of source) void chunk; };
export const tasks = {
  waits: async (input, { signal }) => {
    if (input instanceof Readable) await read(input);
    else if (input?.file) await read((await input.file.resolve()).stream);
    await gone(signal);
  },
  streams: async (input) => {
    if (input instanceof Readable) await read(input);
    else if (input?.file) await read((await input.file.resolve()).stream);
    const chunk = Buffer.alloc(64 << 10);
    return new Readable({ read() { this.push(chunk); } });
  },
};`

func leftInNode(t *testing.T, logger *slog.Logger) tunnel.Executor {
	file := filepath.Join(t.TempDir(), "left.mjs")
	require.NoError(t, os.WriteFile(file, []byte(leftTasks), 0o600))
	opts := ipc.Node(file)
	opts.Logger = logger
	return testapp.StartWorker(t, opts)
}

func leftInGo(*testing.T, *slog.Logger) tunnel.Executor {
	r := standalone.NewRegistry()
	read := func(call *protocol.Call) (err error) {
		switch {
		case call.Body != nil:
			_, err = io.Copy(io.Discard, call.Body)
		case call.Form != nil:
			var file io.Reader
			if file, err = call.Form.Open("f"); err == nil {
				_, err = io.Copy(io.Discard, file)
			}
		}
		return err
	}
	r.HandleTask("waits", func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
		if err := read(call); err != nil {
			return nil, err
		}
		<-ctx.Done()
		return nil, fmt.Errorf("left: %w", context.Cause(ctx))
	})
	r.HandleTask("streams", func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		return &protocol.Reply{Stream: io.NopCloser(newSource(1<<60, 7))}, read(call)
	})
	return r
}

// leavingBodies are the kinds of body, each with a whole one.
var leavingBodies = map[string]struct{ contentType, body string }{
	"none": {"", ""},
	"JSON": {"application/json", `{"input":{"text":"` + strings.Repeat("x", 10000) + `"}}`},
	"form": {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"__manifest\"\r\n\r\n" +
		`{"input":{"file":{"$runnerFile":"File","id":"f"}}}` + "\r\n--b\r\nContent-Disposition: form-data; name=\"file:f\"; filename=\"f\"\r\n\r\n" +
		strings.Repeat("x", 10000) + "\r\n--b--\r\n"},
	"raw": {"application/octet-stream", strings.Repeat("x", 10000)},
}

// leavingSends are how much of a body is sent before the caller leaves.
var leavingSends = map[string]func(body string) string{
	"before the body":   func(string) string { return "" },
	"in its first line": func(body string) string { return body[:3] },
	"in the middle":     func(body string) string { return body[:len(body)/2] },
	"at its last byte":  func(body string) string { return body[:len(body)-1] },
}

// leaving is a call whose caller leaves, and how.
type leaving struct {
	body, moment string // a moment of leavingSends, "while the task runs" or "while the answer streams"
	http2        bool
	chunked      bool
	how          string // "close", "reset" or, with HTTP/2, "cancel"
}

func (l leaving) String() string {
	text := "HTTP1"
	if l.http2 {
		text = "HTTP2"
	}
	if l.chunked {
		text += " chunked"
	}
	return text + "/" + l.body + "/" + l.moment + "/" + l.how
}

func allLeavings() (all []leaving) {
	for body := range leavingBodies {
		moments := []string{"while the task runs", "while the answer streams"}
		if body != "none" {
			for moment := range leavingSends {
				moments = append(moments, moment)
			}
		}
		for _, moment := range moments {
			for _, how := range []string{"close", "reset"} {
				all = append(all, leaving{body, moment, false, false, how}, leaving{body, moment, true, false, how})
				if body != "none" {
					all = append(all, leaving{body, moment, false, true, how})
				}
			}
			all = append(all, leaving{body, moment, true, false, "cancel"})
		}
	}
	return all
}

// leftServer is where they call.
type leftServer struct {
	http1, http2 *httptest.Server
	started      sync.Map // of request ids to channels that are closed when the call is executed
	log          *lockedLog
}

type lockedLog struct {
	mu    sync.Mutex
	lines []map[string]any
}

func (l *lockedLog) Write(line []byte) (int, error) {
	fields := map[string]any{}
	if err := json.Unmarshal(bytes.TrimSpace(line), &fields); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fields)
	return len(line), nil
}

// of returns the lines about a request, "" for all.
func (l *lockedLog) of(id string) (lines []map[string]any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if id == "" || line["requestId"] == id {
			lines = append(lines, line)
		}
	}
	return lines
}

func newLeftServer(t *testing.T, tasks func(*testing.T, *slog.Logger) tunnel.Executor) *leftServer {
	s := &leftServer{log: &lockedLog{}}
	logger := slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	handler := tunnel.New(tasks(t, logger), tunnel.Config{
		Tokens: []string{"secret"},
		Logger: logger,
		Middleware: []tunnel.Middleware{tunnel.Check(func(_ context.Context, call *protocol.Call) error {
			if started, ok := s.started.Load(call.RequestID); ok {
				close(started.(chan struct{}))
			}
			return nil
		})},
	})
	s.http1 = httptest.NewUnstartedServer(handler)
	s.http2 = httptest.NewUnstartedServer(handler)
	s.http2.EnableHTTP2 = true
	testapp.PerhapsInFront(t, s.http1, handler)
	for _, server := range []*httptest.Server{s.http1, s.http2} {
		server.Config.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelError) // nothing to say there either
	}
	s.http1.Start()
	s.http2.StartTLS()
	t.Cleanup(s.http1.Close)
	t.Cleanup(s.http2.Close)
	return s
}

// leave makes a call and leaves it. It returns when the server has seen that.
func (s *leftServer) leave(t *testing.T, l leaving, id string) {
	started := make(chan struct{})
	s.started.Store(id, started)
	kind := leavingBodies[l.body]
	send, whole := leavingSends[l.moment], false
	if send == nil {
		send, whole = func(body string) string { return body }, true
	}
	task := "waits"
	if l.moment == "while the answer streams" {
		task = "streams"
	}
	header := http.Header{"X-Runner-Token": {"secret"}, "X-Runner-Request-Id": {id}, "Content-Type": {kind.contentType}}
	if l.http2 {
		s.leaveHTTP2(t, l, task, header, kind.body, send(kind.body), whole, started)
	} else {
		s.leaveHTTP1(t, l, task, header, kind.body, send(kind.body), started)
	}
	require.Eventually(t, func() bool { return len(s.log.of(id)) > 0 }, hang, time.Millisecond, "a line about it")
}

func (s *leftServer) leaveHTTP1(t *testing.T, l leaving, task string, header http.Header, body, sent string, started chan struct{}) {
	conn, err := net.Dial("tcp", s.http1.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if l.chunked {
		header.Del("Content-Length")
		header.Set("Transfer-Encoding", "chunked")
		whole := len(sent) == len(body)
		sent = fmt.Sprintf("%x\r\n%s", len(body), sent)
		if whole {
			sent += "\r\n0\r\n\r\n"
		}
	}
	var head bytes.Buffer
	require.NoError(t, header.Write(&head))
	_, err = fmt.Fprintf(conn, "POST /__runner/task/%s HTTP/1.1\r\nHost: x\r\n%s\r\n%s", task, head.String(), sent)
	require.NoError(t, err)
	switch l.moment {
	case "while the task runs":
		<-started
	case "while the answer streams":
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		_, err = io.CopyN(io.Discard, res.Body, 1<<20)
		require.NoError(t, err)
	}
	if l.how == "reset" {
		require.NoError(t, conn.(*net.TCPConn).SetLinger(0))
	}
}

func (s *leftServer) leaveHTTP2(t *testing.T, l leaving, task string, header http.Header, body, sent string, whole bool, started chan struct{}) {
	var conn net.Conn
	transport := s.http2.Client().Transport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, addr string) (c net.Conn, err error) {
		c, err = (&net.Dialer{}).DialContext(ctx, network, addr)
		conn = c
		return c, err
	}
	defer transport.CloseIdleConnections()
	s.ping(t, transport) // so that there is one connection
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	arrives, input := io.Pipe()
	defer input.CloseWithError(context.Canceled)
	written := make(chan struct{})
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { close(written) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.http2.URL+"/__runner/task/"+task, arrives)
	require.NoError(t, err)
	req.Header, req.ContentLength = header, int64(len(body))
	if body == "" {
		req.Body = http.NoBody
	}
	answers := make(chan *http.Response, 1)
	go func() {
		res, err := transport.RoundTrip(req)
		if err != nil {
			res = nil
		}
		answers <- res
	}()
	if len(sent) > 0 {
		_, err = io.WriteString(input, sent)
		require.NoError(t, err)
	}
	if whole {
		_ = input.Close()
	}
	switch l.moment {
	case "while the task runs":
		<-started
	case "while the answer streams":
		res := <-answers
		require.NotNil(t, res)
		_, err = io.CopyN(io.Discard, res.Body, 1<<20)
		require.NoError(t, err)
		defer res.Body.Close()
	case "before the body":
		<-written
		s.ping(t, transport) // or the head of the request may be lost
	}
	switch l.how {
	case "reset":
		require.NoError(t, conn.(*net.TCPConn).SetLinger(0))
		fallthrough
	case "close":
		_ = conn.Close()
	case "cancel":
		cancel()
	}
}

// ping returns when all that was sent before on the connection has been seen.
func (s *leftServer) ping(t *testing.T, transport *http.Transport) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http2.URL+"/elsewhere", nil)
	require.NoError(t, err)
	res, err := transport.RoundTrip(req)
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
}

// A caller who leaves is one line at Debug, whenever and however it does.
func TestCallersWhoLeave(t *testing.T) {
	for name, tasks := range map[string]func(*testing.T, *slog.Logger) tunnel.Executor{"Go": leftInGo, "Node": leftInNode} {
		t.Run(name, func(t *testing.T) {
			s := newLeftServer(t, tasks)
			for i, l := range allLeavings() {
				t.Run(l.String(), func(t *testing.T) {
					id := "left-" + strconv.Itoa(i)
					s.leave(t, l, id)
					lines := s.log.of(id)
					require.Len(t, lines, 1)
					assert.Equal(t, "DEBUG", lines[0]["level"])
					assert.Equal(t, "REQUEST_ABORTED", lines[0]["code"], "%v", lines[0])
					assert.Equal(t, 499.0, lines[0]["status"])
				})
			}
		})
	}
}

// A thousand of them leave nothing else in the log.
func TestManyCallersWhoLeave(t *testing.T) {
	for name, tasks := range map[string]func(*testing.T, *slog.Logger) tunnel.Executor{"Go": leftInGo, "Node": leftInNode} {
		t.Run(name, func(t *testing.T) {
			s := newLeftServer(t, tasks)
			all, next := allLeavings(), make(chan int, 1000)
			for i := range 1000 {
				next <- i
			}
			close(next)
			var callers sync.WaitGroup
			for range 50 {
				callers.Go(func() {
					for i := range next {
						s.leave(t, all[i%len(all)], "burst-"+strconv.Itoa(i))
					}
				})
			}
			callers.Wait()
			left := 0
			for _, line := range s.log.of("") {
				if id, _ := line["requestId"].(string); strings.HasPrefix(id, "burst-") {
					assert.Equal(t, "REQUEST_ABORTED", line["code"], "%v", line)
					left++
				}
				assert.True(t, line["level"] == "DEBUG" || line["level"] == "INFO" && line["msg"] == "ipc: worker ready", "%v", line)
			}
			assert.Equal(t, 1000, left)
		})
	}
}
