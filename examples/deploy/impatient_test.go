package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/protocol"

	tunnel "github.com/bluelibs/go-tunnel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// timed is a connection that knows the deadlines it has, and had while it was used.
type timed struct {
	*httptest.ResponseRecorder
	read, write   time.Time
	reads, writes int
	longest       int
}

func (c *timed) SetReadDeadline(at time.Time) error  { c.read = at; return nil }
func (c *timed) SetWriteDeadline(at time.Time) error { c.write = at; return nil }

func (c *timed) Write(p []byte) (int, error) {
	c.writes += used(c.write)
	c.longest = max(c.longest, len(p))
	return c.ResponseRecorder.Write(p)
}

func (c *timed) FlushError() error { c.writes += used(c.write); return nil }

// Read is that of the request's body.
func (c *timed) Read(p []byte) (int, error) {
	c.reads += used(c.read)
	return copy(p, "body"), io.EOF
}

func (c *timed) Close() error { return nil }

func used(deadline time.Time) int {
	if deadline.IsZero() {
		return 0
	}
	return 1
}

func TestImpatient(t *testing.T) {
	c := &timed{ResponseRecorder: httptest.NewRecorder()}
	handler := impatient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, "body", string(body))
		assert.Equal(t, 1, c.reads, "a read has a deadline")
		assert.Zero(t, c.read, "a task that works has none")

		n, err := w.Write(make([]byte, 3*maxWrite+1))
		assert.NoError(t, err)
		assert.Equal(t, 3*maxWrite+1, n)
		assert.Equal(t, 4, c.writes, "each part has a deadline")
		assert.Equal(t, maxWrite, c.longest)
		assert.NoError(t, http.NewResponseController(w).Flush())
		assert.Equal(t, 5, c.writes)
		assert.Zero(t, c.write, "a stream that waits for its source has none")

		own := time.Unix(1, 0)
		assert.NoError(t, http.NewResponseController(w).SetReadDeadline(own))
		_, _ = r.Body.Read(make([]byte, 1))
		assert.Equal(t, own, c.read, "the handler's own counts")
	}), time.Hour)
	handler.ServeHTTP(c, httptest.NewRequest(http.MethodPost, "/", c))
	assert.Equal(t, 3*maxWrite+1, c.Body.Len())
	assert.NotZero(t, c.write, "net/http's own last write")
}

// A caller that stops in the middle of its request, or does not take its answer, is let
// go, over both versions of HTTP.
func TestSlowCallers(t *testing.T) {
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			ended := make(chan error, 1)
			server := httptest.NewUnstartedServer(impatient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/send" {
					_, err := io.ReadAll(r.Body)
					ended <- err
					return
				}
				for {
					if _, err := w.Write(make([]byte, maxWrite)); err != nil {
						ended <- err
						return
					}
				}
			}), 200*time.Millisecond))
			if server.EnableHTTP2 = version == "HTTP/2.0"; server.EnableHTTP2 {
				server.StartTLS()
			} else {
				server.Start()
			}
			defer server.Close()
			defer server.Client().CloseIdleConnections()

			rest, body := io.Pipe() // never written to
			defer body.Close()
			answered := make(chan struct{})
			go func() {
				defer close(answered)
				req, err := http.NewRequest(http.MethodPost, server.URL+"/send", io.MultiReader(strings.NewReader("half"), rest))
				if !assert.NoError(t, err) {
					return
				}
				if res, err := server.Client().Do(req); err == nil {
					_ = res.Body.Close()
				}
			}()
			assert.ErrorIs(t, <-ended, os.ErrDeadlineExceeded)
			_ = body.CloseWithError(errors.New("too late"))
			<-answered

			res, err := server.Client().Get(server.URL + "/take")
			require.NoError(t, err)
			assert.Equal(t, version, res.Proto)
			assert.Error(t, <-ended, "nothing is read of the answer")
			_ = res.Body.Close()
		})
	}
}

// A tunnel answers such a caller, also while a task reads its body.
func TestSlowCallersOfATunnel(t *testing.T) {
	exec := tunnel.ExecutorFunc(func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		_, err := io.Copy(io.Discard, call.Body)
		return &protocol.Reply{}, err
	})
	handler := tunnel.New(exec, tunnel.Config{AllowAnonymous: true, AllowList: protocol.NewAllowList([]string{"a"}, nil), Logger: slog.New(slog.DiscardHandler)})
	server := httptest.NewServer(impatient(handler, 200*time.Millisecond))
	defer server.Close()
	for contentType, want := range map[string]string{
		"application/json":                "HTTP/1.1 408 ",
		"multipart/form-data; boundary=b": "HTTP/1.1 408 ",
		"application/octet-stream":        "HTTP/1.1 408 ",
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		_, err = io.WriteString(conn, "POST /__runner/task/a HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\nContent-Type: "+contentType+"\r\n\r\nhalf")
		require.NoError(t, err)
		answer, err := io.ReadAll(conn) // the server closes it
		require.NoError(t, errors.Join(err, conn.Close()))
		assert.True(t, strings.HasPrefix(string(answer), want), "%s: %s", contentType, answer)
	}
}
