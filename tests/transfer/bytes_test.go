// Package transfer_test moves bodies, files and streams over real connections, also such
// as end too early.
package transfer_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const echoTask = "/__runner/task/app.tasks.echo"

// hang is how long a test waits for what comes at once unless something is wrong.
const hang = 30 * time.Second

// bytesServer serves fn for all tasks over both versions of HTTP.
func bytesServer(t *testing.T, http2 bool, cfg tunnel.Config, fn tunnel.ExecutorFunc) *httptest.Server {
	cfg.Tokens, cfg.AllowList, cfg.Logger = []string{"secret"}, testapp.AllowList, testapp.Quiet
	handler := tunnel.New(fn, cfg)
	server := httptest.NewUnstartedServer(handler)
	testapp.PerhapsInFront(t, server, handler)
	if http2 {
		server.EnableHTTP2 = true
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server
}

func overBoth(t *testing.T, test func(t *testing.T, http2 bool)) {
	t.Run("HTTP1", func(t *testing.T) { test(t, false) })
	t.Run("HTTP2", func(t *testing.T) { test(t, true) })
}

// sendBytes sends a body to a task.
func sendBytes(ctx context.Context, server *httptest.Server, contentType string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+echoTask, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("x-runner-token", "secret")
	req.Header.Set("content-type", contentType)
	return server.Client().Do(req)
}

// The answer begins before the request has ended, and goes with it.
func TestFullDuplex(t *testing.T) {
	overBoth(t, func(t *testing.T, http2 bool) {
		server := bytesServer(t, http2, tunnel.Config{}, func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
			return &protocol.Reply{Stream: call.Body}, nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), hang)
		defer cancel()
		body, input := io.Pipe()
		go io.WriteString(input, "first")
		res, err := sendBytes(ctx, server, "application/octet-stream", body)
		require.NoError(t, err)
		defer res.Body.Close()
		buf := make([]byte, 5)
		_, err = io.ReadFull(res.Body, buf)
		require.NoError(t, err)
		assert.Equal(t, "first", string(buf))
		go func() {
			_, _ = io.WriteString(input, "again")
			_ = input.Close()
		}()
		rest, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		assert.Equal(t, "again", string(rest))
	})
}

// An answer does not wait for a body that nobody reads, nor for one that somebody does.
func TestAnswerDoesNotWaitForTheBody(t *testing.T) {
	for name, read := range map[string]func(*protocol.Call) <-chan struct{}{
		"unread": func(*protocol.Call) <-chan struct{} { done := make(chan struct{}); close(done); return done },
		"being read": func(call *protocol.Call) <-chan struct{} {
			done := make(chan struct{})
			body := call.Body
			go func() {
				defer close(done)
				_, _ = io.Copy(io.Discard, body)
			}()
			return done
		},
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, http2 bool) {
				cancelled := make(chan error, 1)
				server := bytesServer(t, http2, tunnel.Config{}, func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
					_, err := io.ReadFull(call.Body, make([]byte, 3))
					done := read(call)
					err = errors.Join(err, call.Body.Close())
					<-done
					_, closed := call.Body.Read(make([]byte, 1))
					if closed == nil {
						err = fmt.Errorf("a closed body can be read")
					}
					cancelled <- ctx.Err()
					return &protocol.Reply{Value: []byte("1")}, err
				})
				ctx, cancel := context.WithTimeout(t.Context(), hang)
				defer cancel()
				body, input := io.Pipe()
				defer input.Close()
				go io.WriteString(input, "abc")
				res, err := sendBytes(ctx, server, "application/octet-stream", body)
				require.NoError(t, err)
				defer res.Body.Close()
				text, err := io.ReadAll(res.Body)
				require.NoError(t, err)
				assert.Equal(t, `{"ok":true,"result":1}`, string(text))
				assert.NoError(t, <-cancelled, "closing the body is not the caller's leaving")
			})
		})
	}
}

// What is left of a body that was not read to its end is not taken for a request.
func TestRestOfABodyIsNoRequest(t *testing.T) {
	calls := make(chan string, 10)
	server := bytesServer(t, false, tunnel.Config{}, func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		calls <- call.RequestID
		if call.Body == nil {
			return &protocol.Reply{}, nil
		}
		done := make(chan struct{})
		body := call.Body
		_, err := io.ReadFull(body, make([]byte, 3))
		go func() {
			defer close(done)
			_, _ = io.Copy(io.Discard, body)
		}()
		_ = body.Close()
		<-done
		return &protocol.Reply{}, err
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(hang)))
	request := func(id string) string {
		return "POST " + echoTask + " HTTP/1.1\r\nHost: x\r\nx-runner-token: secret\r\nConnection: close\r\nx-runner-request-id: " + id + "\r\nContent-Length: 0\r\n\r\n"
	}
	smuggled := request("smuggled")
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nx-runner-token: secret\r\nx-runner-request-id: first\r\ncontent-type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", echoTask)
	reader := bufio.NewReader(conn)
	res, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	_, err = io.ReadAll(res.Body)
	require.NoError(t, err)
	_, _ = fmt.Fprintf(conn, "%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled)
	_, _ = io.WriteString(conn, request("next"))
	rest, _ := io.ReadAll(reader)
	assert.NotContains(t, string(rest), "smuggled")
	assert.Equal(t, "first", <-calls)
	if len(calls) > 0 { // unless the read that was interrupted has cost the connection
		assert.Equal(t, "next", <-calls)
	}
	assert.Empty(t, calls)
}

// A caller that leaves while its body is read ends the task's context.
func TestCallerLeavesMidBody(t *testing.T) {
	file := "--b\r\nContent-Disposition: form-data; name=\"__manifest\"\r\n\r\n" +
		`{"input":{"$runnerFile":"File","id":"a"}}` + "\r\n--b\r\nContent-Disposition: form-data; name=\"file:a\"; filename=\"a\"\r\n\r\nabc"
	for contentType, begin := range map[string]string{"application/octet-stream": "abc", "multipart/form-data; boundary=b": file} {
		t.Run(contentType, func(t *testing.T) {
			overBoth(t, func(t *testing.T, http2 bool) {
				started, ended := make(chan struct{}), make(chan error, 1)
				server := bytesServer(t, http2, tunnel.Config{}, func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
					source := io.Reader(call.Body)
					if call.Form != nil {
						var err error
						if source, err = call.Form.Open("a"); err != nil {
							return nil, err
						}
					}
					_, err := io.ReadFull(source, make([]byte, 3))
					close(started)
					if err == nil {
						_, err = io.Copy(io.Discard, source)
					}
					<-ctx.Done()
					ended <- err
					return nil, err
				})
				ctx, cancel := context.WithCancel(t.Context())
				body, input := io.Pipe()
				defer input.Close()
				go io.WriteString(input, begin)
				go func() {
					<-started
					cancel()
					_ = input.CloseWithError(context.Canceled) // the client waits for its body to end
				}()
				_, err := sendBytes(ctx, server, contentType, body)
				require.Error(t, err)
				select {
				case err := <-ended:
					assert.Error(t, err)
				case <-time.After(hang):
					require.FailNow(t, "the task's context goes on")
				}
			})
		})
	}
}

// A deadline ends a Read that waits for the caller.
func TestDeadlineEndsARead(t *testing.T) {
	overBoth(t, func(t *testing.T, http2 bool) {
		exec := tunnel.ExecutorFunc(func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
			_, err := io.Copy(io.Discard, call.Body)
			if err != nil {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return &protocol.Reply{}, nil
		})
		handler := tunnel.New(exec, tunnel.Config{Tokens: []string{"secret"}, AllowList: testapp.AllowList, Logger: testapp.Quiet})
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), 20*time.Millisecond)
			defer cancel()
			handler.ServeHTTP(w, r.WithContext(ctx))
		}))
		server.EnableHTTP2 = http2
		server.StartTLS()
		t.Cleanup(server.Close)
		body, input := io.Pipe()
		defer input.Close()
		go io.WriteString(input, "abc")
		ctx, cancel := context.WithTimeout(t.Context(), hang)
		defer cancel()
		res, err := sendBytes(ctx, server, "application/octet-stream", body)
		require.NoError(t, err)
		defer res.Body.Close()
		assert.Equal(t, http.StatusGatewayTimeout, res.StatusCode)
	})
}

// A form that is refused is refused before it has ended, and a connection whose body was
// read to its end is used again.
func TestFormsAndConnections(t *testing.T) {
	server := bytesServer(t, false, tunnel.Config{Limits: protocol.Limits{MaxFieldSize: 100, LingerTime: time.Millisecond}}, func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		return &protocol.Reply{Value: call.Payload}, nil
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(hang)))
	reader := bufio.NewReader(conn)
	send := func(body string, more int) *http.Response {
		_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nx-runner-token: secret\r\ncontent-type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n%s", echoTask, len(body)+more, body)
		require.NoError(t, err)
		res, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		_, err = io.ReadAll(res.Body)
		require.NoError(t, err)
		return res
	}
	field := "--b\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n"
	whole := fmt.Sprintf(field, "__manifest", `{"input":1}`) + "--b--\r\nepilogue"
	assert.Equal(t, 200, send(whole, 0).StatusCode)
	assert.Equal(t, 200, send(whole, 0).StatusCode)
	assert.Equal(t, 413, send(fmt.Sprintf(field, "a", strings.Repeat("x", 101)), 1<<20).StatusCode)
	_, err = reader.ReadByte()
	assert.Equal(t, io.EOF, err)
}

// However a large form ends, no temporary file is left, and its files are not held in
// memory.
func TestFormsLeaveNoFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	header := "--b\r\nContent-Disposition: form-data; name=\"%s\"%s\r\n\r\n"
	manifest := fmt.Sprintf(header, "__manifest", "") + `{"input":[{"$runnerFile":"File","id":"a"},{"$runnerFile":"File","id":"b"}]}` + "\r\n"
	file := func(id string) string {
		return fmt.Sprintf(header, "file:"+id, `; filename="x"`) + strings.Repeat("x", 1<<20) + "\r\n"
	}
	for name, c := range map[string]struct {
		form   string
		fn     tunnel.ExecutorFunc
		status int
	}{
		"unread":      {manifest + file("a") + file("b"), nothing, 200},
		"early":       {file("a") + file("b") + manifest, nothing, 200},
		"task fails":  {file("a") + manifest + file("b"), func(context.Context, *protocol.Call) (*protocol.Reply, error) { return nil, testapp.ErrSecret }, 500},
		"task panics": {file("a") + manifest + file("b"), func(context.Context, *protocol.Call) (*protocol.Reply, error) { panic("a bug") }, 500},
		"bad form":    {file("a") + manifest + file("b") + manifest, nothing, 400},
		"missing":     {file("a") + manifest, nothing, 500},
		"streamed": {manifest + file("a") + file("b"), func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
			b, err := call.Form.Open("b")
			return &protocol.Reply{Stream: b}, err
		}, 200},
		"streamed from what is opened late": {manifest + file("a") + file("b"), func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
			var b *protocol.FormFile
			form := call.Form
			return &protocol.Reply{Stream: io.NopCloser(testapp.ReaderFunc(func(p []byte) (n int, err error) {
				if b == nil {
					if b, err = form.Open("b"); err != nil {
						return 0, err
					}
				}
				return b.Read(p)
			}))}, nil
		}, 200},
		"streamed from a bad form": {manifest + file("a") + file("b") + manifest, func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
			b, err := call.Form.Open("b")
			return &protocol.Reply{Stream: b}, err
		}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			server := bytesServer(t, false, tunnel.Config{}, c.fn)
			ctx, cancel := context.WithTimeout(t.Context(), hang)
			defer cancel()
			res, err := sendBytes(ctx, server, "multipart/form-data; boundary=b", strings.NewReader(c.form+"--b--\r\n"))
			require.NoError(t, err)
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			assert.Equal(t, c.status, res.StatusCode)
			if strings.HasPrefix(name, "streamed") && c.status == 200 {
				assert.Len(t, body, 1<<20)
			}
			server.Close()
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Empty(t, left)
			open, _ := filepath.Glob("/proc/self/fd/*") // on Linux a removed file may still be open
			for _, fd := range open {
				path, _ := os.Readlink(fd)
				assert.False(t, strings.HasPrefix(path, dir), path)
			}
		})
	}
}

func nothing(context.Context, *protocol.Call) (*protocol.Reply, error) { return &protocol.Reply{}, nil }

// A caller that leaves a stream ends the context, also of a source that waits.
func TestCallerLeavesAStream(t *testing.T) {
	overBoth(t, func(t *testing.T, http2 bool) {
		closed := make(chan struct{})
		server := bytesServer(t, http2, tunnel.Config{}, func(ctx context.Context, _ *protocol.Call) (*protocol.Reply, error) {
			r, w := io.Pipe()
			go io.WriteString(w, "first")
			context.AfterFunc(ctx, func() { _ = w.CloseWithError(ctx.Err()) })
			return &protocol.Reply{Stream: &onClose{r, closed}}, nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		res, err := sendBytes(ctx, server, "application/json", strings.NewReader("1"))
		require.NoError(t, err)
		_, err = io.ReadFull(res.Body, make([]byte, 5))
		require.NoError(t, err)
		cancel()
		select {
		case <-closed:
		case <-time.After(hang):
			require.FailNow(t, "the stream is not closed")
		}
		_ = res.Body.Close()
	})
}

type onClose struct {
	io.Reader
	closed chan struct{}
}

func (c *onClose) Close() error { close(c.closed); return nil }

// What a form has beside its files and fields may be of any size, but not be
// decompressed without end.
func TestCompressedFormOfNoUse(t *testing.T) {
	server := bytesServer(t, false, tunnel.Config{Limits: protocol.Limits{MaxFileSize: 1, MaxFieldSize: 100}}, nothing)
	const form = "--b\r\nContent-Disposition: form-data; name=\"__manifest\"\r\n\r\n{}\r\n--b\r\nContent-Disposition: %s\r\n\r\n"
	for _, part := range []string{`form-data; name="x"; filename="x"`, `form-data; name="file:x"; filename="x"`, "attachment"} {
		for size, want := range map[int64]int{1: http.StatusOK, 20 << 20: http.StatusRequestEntityTooLarge} {
			var body bytes.Buffer
			zip := gzip.NewWriter(&body)
			fmt.Fprintf(zip, form, part)
			_, _ = io.CopyN(zip, testapp.Zeros{}, size)
			_, _ = io.WriteString(zip, "\r\n--b--\r\n")
			require.NoError(t, zip.Close())
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+echoTask, &body)
			require.NoError(t, err)
			req.Header.Set("x-runner-token", "secret")
			req.Header.Set("content-type", "multipart/form-data; boundary=b")
			req.Header.Set("content-encoding", "gzip")
			res, err := server.Client().Do(req)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			assert.Equal(t, want, res.StatusCode, "%s %d", part, size)
		}
	}
}
