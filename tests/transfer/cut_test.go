package transfer_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

// recovering is the middleware that most services have in one form or another.
func recovering(panics chan<- any) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				if v := recover(); v != nil {
					panics <- v
				}
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// wrapping is a ResponseWriter as middleware makes them, with a way to the one below, and
// as bad as some: to hijack what was written to is refused.
type wrapping struct{ http.ResponseWriter }

func (w wrapping) Unwrap() http.ResponseWriter { return w.ResponseWriter }
func (w wrapping) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, errors.New("written already")
}

// hiding is a ResponseWriter that shows nothing of the one below.
type hiding struct{ http.ResponseWriter }

// textless is an error whose text panics where it is nil.
type textless struct{ text string }

func (e *textless) Error() string { return e.text }

// cutStreams are replies that end early.
var cutStreams = map[string]func() *protocol.Reply{
	"fails": func() *protocol.Reply {
		return &protocol.Reply{Stream: io.NopCloser(io.MultiReader(strings.NewReader("half"), iotest.ErrReader(testapp.ErrSecret)))}
	},
	"panics": func() *protocol.Reply {
		return &protocol.Reply{Stream: io.NopCloser(io.MultiReader(strings.NewReader("half"), testapp.ReaderFunc(func([]byte) (int, error) { panic("a bug") })))}
	},
	"asks for the end of the connection": func() *protocol.Reply {
		return &protocol.Reply{Stream: io.NopCloser(io.MultiReader(strings.NewReader("half"), testapp.ReaderFunc(func([]byte) (int, error) { panic(http.ErrAbortHandler) })))}
	},
	"is shorter than its length": func() *protocol.Reply {
		return &protocol.Reply{Stream: io.NopCloser(strings.NewReader("half")), StreamHeader: http.Header{"Content-Length": {"5"}}}
	},
	"fails with an error that has no text": func() *protocol.Reply {
		return &protocol.Reply{Stream: io.NopCloser(io.MultiReader(strings.NewReader("half"), iotest.ErrReader((*textless)(nil))))}
	},
	"fails with its last bytes": func() *protocol.Reply {
		return &protocol.Reply{Stream: io.NopCloser(testapp.ReaderFunc(func(p []byte) (int, error) { return copy(p, "half"), testapp.ErrSecret }))}
	},
	"is longer than its length": func() *protocol.Reply {
		return &protocol.Reply{Stream: io.NopCloser(io.MultiReader(strings.NewReader("half"), strings.NewReader(" and more"))), StreamHeader: http.Header{"Content-Length": {"6"}}}
	},
}

// A cut answer never looks whole, whatever is around the Handler, nor does anything
// around it hear of a panic where the connection can be ended without.
func TestCutAnswers(t *testing.T) {
	for around, wrap := range map[string]func(http.ResponseWriter) http.ResponseWriter{
		"nothing":             func(w http.ResponseWriter) http.ResponseWriter { return w },
		"writers that unwrap": func(w http.ResponseWriter) http.ResponseWriter { return wrapping{wrapping{w}} },
	} {
		for name, reply := range cutStreams {
			t.Run(around+"/"+name, func(t *testing.T) {
				overBoth(t, func(t *testing.T, http2 bool) {
					panics := make(chan any, 1)
					handler := tunnel.New(tunnel.ExecutorFunc(func(context.Context, *protocol.Call) (*protocol.Reply, error) { return reply(), nil }),
						tunnel.Config{Tokens: []string{"secret"}, AllowList: testapp.AllowList, Logger: testapp.Quiet})
					server := httptest.NewUnstartedServer(recovering(panics)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						handler.ServeHTTP(wrap(w), r)
						_, _ = io.WriteString(w, "more")
						_ = http.NewResponseController(w).Flush()
					})))
					server.EnableHTTP2 = http2
					server.StartTLS()
					t.Cleanup(server.Close)
					res, err := sendBytes(t.Context(), server, "application/json", strings.NewReader("1"))
					require.NoError(t, err)
					defer res.Body.Close()
					assert.Equal(t, http.StatusOK, res.StatusCode)
					body, err := io.ReadAll(res.Body)
					assert.Error(t, err, "%q looks whole", body)
					if !http2 { // which resets its stream with what waits to be sent
						assert.Equal(t, "half", string(body), "all that there was")
					}
					server.Close()
					assert.Empty(t, panics)
				})
			})
		}
	}
}

// A caller who still sends hears of the cut as well.
func TestCutAnswersToUnreadBodies(t *testing.T) {
	server := bytesServer(t, false, tunnel.Config{}, func(context.Context, *protocol.Call) (*protocol.Reply, error) { return cutStreams["fails"](), nil })
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(hang)))
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nx-runner-token: secret\r\nContent-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\nabc", echoTask)
	require.NoError(t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	_, err = io.ReadAll(res.Body)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

// What shows a caller in the log may fail at any value, and changes no answer.
func TestCutAnswersThatCannotBeLogged(t *testing.T) {
	handler := tunnel.New(tunnel.ExecutorFunc(func(context.Context, *protocol.Call) (*protocol.Reply, error) { return cutStreams["fails"](), nil }),
		tunnel.Config{
			Authenticate: func(*http.Request) (any, error) { return 7, nil },
			LogIdentity:  func(identity any) string { return identity.(string) },
			AllowList:    testapp.AllowList, Logger: testapp.Quiet,
		})
	server := httptest.NewServer(recovering(make(chan any, 1))(handler))
	t.Cleanup(server.Close)
	res, err := sendBytes(t.Context(), server, "application/json", strings.NewReader("1"))
	require.NoError(t, err)
	defer res.Body.Close()
	_, err = io.ReadAll(res.Body)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

// The body of an answer over HTTP/1.0 ends with its connection, so that has to end badly.
func TestCutAnswersOverHTTP10(t *testing.T) {
	for name, reply := range cutStreams {
		t.Run(name, func(t *testing.T) {
			panics := make(chan any, 1)
			handler := tunnel.New(tunnel.ExecutorFunc(func(context.Context, *protocol.Call) (*protocol.Reply, error) { return reply(), nil }),
				tunnel.Config{Tokens: []string{"secret"}, AllowList: testapp.AllowList, Logger: testapp.Quiet})
			server := httptest.NewServer(recovering(panics)(handler))
			t.Cleanup(server.Close)
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.SetDeadline(time.Now().Add(hang)))
			_, err = fmt.Fprintf(conn, "POST %s HTTP/1.0\r\nx-runner-token: secret\r\n\r\n", echoTask)
			require.NoError(t, err)
			_, err = io.ReadAll(conn)
			assert.ErrorIs(t, err, syscall.ECONNRESET)
			server.Close()
			assert.Empty(t, panics)
		})
	}
}

// So it does when the server is closed, if that tells of its connections; whole answers
// stay whole.
func TestAnswersOverHTTP10WhenTheServerIsClosed(t *testing.T) {
	gone := make(chan struct{})
	replies := map[string]func(context.Context) (*protocol.Reply, error){
		"goes on": func(ctx context.Context) (*protocol.Reply, error) {
			return &protocol.Reply{Stream: io.NopCloser(io.MultiReader(strings.NewReader("half"), testapp.ReaderFunc(func([]byte) (int, error) {
				<-gone
				return 0, io.EOF
			})))}, nil
		},
		"is whole": func(context.Context) (*protocol.Reply, error) {
			return &protocol.Reply{Stream: io.NopCloser(strings.NewReader("half"))}, nil
		},
		"was not begun": func(context.Context) (*protocol.Reply, error) {
			return &protocol.Reply{Stream: io.NopCloser(iotest.ErrReader(testapp.ErrSecret))}, nil
		},
	}
	for name, reply := range replies {
		t.Run(name, func(t *testing.T) {
			handler := tunnel.New(tunnel.ExecutorFunc(func(ctx context.Context, _ *protocol.Call) (*protocol.Reply, error) { return reply(ctx) }),
				tunnel.Config{Tokens: []string{"secret"}, AllowList: testapp.AllowList, Logger: testapp.Quiet})
			server := httptest.NewUnstartedServer(handler)
			server.Config.ConnContext = tunnel.ConnContext
			server.Start()
			t.Cleanup(server.Close)
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.SetDeadline(time.Now().Add(hang)))
			_, err = fmt.Fprintf(conn, "POST %s HTTP/1.0\r\nx-runner-token: secret\r\n\r\n", echoTask)
			require.NoError(t, err)
			in := bufio.NewReader(conn)
			res, err := http.ReadResponse(in, nil)
			require.NoError(t, err)
			if name == "goes on" {
				_, err = io.ReadFull(res.Body, make([]byte, 4))
				require.NoError(t, err)
				require.NoError(t, server.Config.Close())
				_, err = res.Body.Read(make([]byte, 1))
				assert.ErrorIs(t, err, syscall.ECONNRESET)
				close(gone)
				return
			}
			_, err = io.ReadAll(res.Body)
			assert.NoError(t, err)
			_, err = io.ReadAll(in)
			assert.NoError(t, err)
		})
	}
}

// A writer that shows nothing leaves the panic alone, and is named once in the log.
func TestCutAnswersBehindAWriterThatHides(t *testing.T) {
	log := &lockedLog{}
	handler := tunnel.New(tunnel.ExecutorFunc(func(context.Context, *protocol.Call) (*protocol.Reply, error) { return cutStreams["fails"](), nil }),
		tunnel.Config{Tokens: []string{"secret"}, AllowList: testapp.AllowList, Logger: slog.New(slog.NewJSONHandler(log, nil))})
	overBoth(t, func(t *testing.T, http2 bool) {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(hiding{w}, r) }))
		server.EnableHTTP2 = http2
		server.StartTLS()
		t.Cleanup(server.Close)
		res, err := sendBytes(t.Context(), server, "application/json", strings.NewReader("1"))
		if err != nil {
			return // nothing was flushed
		}
		defer res.Body.Close()
		_, err = io.ReadAll(res.Body)
		assert.Error(t, err)
	})
	var named []any
	for _, line := range log.of("") {
		if writer := line["writer"]; writer != nil {
			assert.Equal(t, "WARN", line["level"])
			named = append(named, writer)
		}
	}
	assert.Equal(t, []any{"transfer_test.hiding"}, named)
}
