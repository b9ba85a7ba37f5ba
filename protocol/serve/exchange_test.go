package serve_test

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	tunnel "github.com/bluelibs/go-tunnel"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/serve"
)

// steps is an Exchange over net/http that notes what the Handler asks it for.
type steps struct {
	serve.Exchange
	taken []string
}

func (s *steps) note(step string) {
	if len(s.taken) == 0 || s.taken[len(s.taken)-1] != step {
		s.taken = append(s.taken, step)
	}
}

func (s *steps) WriteHeader(status int) {
	s.note("header")
	s.Exchange.WriteHeader(status)
}

func (s *steps) Write(p []byte) (int, error) {
	s.note("write")
	return s.Exchange.Write(p)
}

func (s *steps) WriteString(text string) (int, error) {
	s.note("write")
	return s.Exchange.WriteString(text)
}

func (s *steps) Read(p []byte) (int, error) {
	s.note("read")
	return s.Exchange.Read(p)
}

func (s *steps) InterruptRead() bool {
	s.note("interrupt")
	return s.Exchange.InterruptRead()
}

func (s *steps) SetReadDeadline(t time.Time) error {
	if t.IsZero() {
		s.note("no deadline")
	} else {
		s.note("deadline")
	}
	return s.Exchange.SetReadDeadline(t)
}

func (s *steps) Duplex() {
	s.note("duplex")
	s.Exchange.Duplex()
}

func (s *steps) Flush() error {
	s.note("flush")
	return s.Exchange.Flush()
}

func (s *steps) GuardEnd() func(bool) {
	s.note("guard")
	release := s.Exchange.GuardEnd()
	return func(sent bool) {
		s.note("release")
		release(sent)
	}
}

func (s *steps) CloseAfter() {
	s.note("close after")
	s.Exchange.CloseAfter()
}

func (s *steps) Hijack() (net.Conn, bool) {
	s.note("hijack")
	return s.Exchange.Hijack()
}

func (s *steps) Abort(begun bool) {
	s.note("abort")
	s.Exchange.Abort(begun)
}

// stepsServer serves tasks and sends the steps of each request.
func stepsServer(tasks map[string]func(*protocol.Call) (*protocol.Reply, error)) (*httptest.Server, <-chan []string) {
	handler := tunnel.New(tunnel.ExecutorFunc(func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		return tasks[call.ID](call)
	}), tunnel.Config{Tokens: []string{"secret"}, AllowList: protocol.NewAllowList(slices.Collect(maps.Keys(tasks)), nil), Logger: slog.New(slog.DiscardHandler)})
	taken := make(chan []string, 1)
	return httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &steps{Exchange: serve.OverNetHTTP(w, r)}
		defer func() { taken <- x.taken }()
		handler.ServeExchange(x, r)
	})), taken
}

// HTTP/2 has streams: the rest of a body cannot be taken for the next request.
func TestStepsOverHTTP2(t *testing.T) {
	server, taken := stepsServer(nil)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	res, err := server.Client().Post(server.URL+"/__runner/task/value", "application/json", strings.NewReader("{}"))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, 2, res.ProtoMajor)
	assert.Equal(t, []string{"header", "write"}, <-taken)
}

// Another server runs the same steps in the same order.
func TestStepsOfAnExchange(t *testing.T) {
	tasks := map[string]func(*protocol.Call) (*protocol.Reply, error){
		"value": func(*protocol.Call) (*protocol.Reply, error) { return &protocol.Reply{Value: []byte("1")}, nil },
		"raw": func(call *protocol.Call) (*protocol.Reply, error) {
			_, err := io.Copy(io.Discard, call.Body)
			return &protocol.Reply{Value: []byte("1")}, err
		},
		"stream": func(*protocol.Call) (*protocol.Reply, error) {
			return &protocol.Reply{Stream: io.NopCloser(strings.NewReader("text"))}, nil
		},
		"cut": func(*protocol.Call) (*protocol.Reply, error) {
			return &protocol.Reply{Stream: io.NopCloser(io.MultiReader(strings.NewReader("text"), iotest.ErrReader(io.ErrUnexpectedEOF)))}, nil
		},
	}
	server, taken := stepsServer(tasks)
	server.Start()
	t.Cleanup(server.Close)
	const octets = "Content-Type: application/octet-stream\r\n"
	for name, c := range map[string]struct {
		head, body string
		want       string
	}{
		"preflight":      {"OPTIONS /__runner/task/value HTTP/1.1\r\n", "", "header"},
		"discovery":      {"GET /__runner/discovery HTTP/1.1\r\n", "", "header, write"},
		"value":          {"POST /__runner/task/value HTTP/1.1\r\n", "{}", "read, header, write"},
		"refused":        {"POST /__runner/task/other HTTP/1.1\r\n", "{}", "no deadline, duplex, header, write, no deadline, flush, deadline, read, no deadline"},
		"not asked for":  {"POST /__runner/task/other HTTP/1.1\r\nExpect: 100-continue\r\n", "{}", "no deadline, duplex, close after, header, write, no deadline, interrupt, close after"},
		"not JSON":       {"POST /__runner/task/value HTTP/1.1\r\n", "{", "read, header, write"},
		"raw":            {"POST /__runner/task/raw HTTP/1.1\r\n" + octets, "abc", "duplex, read, header, write"},
		"raw, unread":    {"POST /__runner/task/value HTTP/1.1\r\n" + octets, "abc", "duplex, header, write, no deadline, flush, deadline, read, no deadline"},
		"stream":         {"POST /__runner/task/stream HTTP/1.1\r\n", "", "read, guard, header, write, flush, release"},
		"stream, cut":    {"POST /__runner/task/cut HTTP/1.1\r\n", "", "read, guard, header, write, flush, abort"},
		"stream, to 1.0": {"POST /__runner/task/stream HTTP/1.0\r\n", "", "read, guard, header, write, flush, release"},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, server)
			head := c.head + "Host: x\r\nx-runner-token: secret\r\nConnection: close\r\n"
			if !strings.Contains(head, "Content-Length") {
				head += "Content-Length: " + string(rune('0'+len(c.body))) + "\r\n"
			}
			_, err := io.WriteString(conn, head+"\r\n"+c.body)
			require.NoError(t, err)
			assert.Equal(t, c.want, strings.Join(<-taken, ", "))
		})
	}
}
