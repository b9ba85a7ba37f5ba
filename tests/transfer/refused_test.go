package transfer_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

// refusals are the requests of TestRefusedUploads, each with more than can be in the
// buffers of a connection still to send.
func refusals(size int) map[string]struct {
	head, begin string
	status      int
} {
	form := "--b\r\nContent-Disposition: form-data; name=\"__manifest\"\r\n\r\n{}\r\n--b\r\nContent-Disposition: form-data; name=\"file:a\"; filename=\"a\"\r\n\r\n"
	length := fmt.Sprintf("Content-Length: %d\r\n", size)
	const token = "x-runner-token: secret\r\n"
	return map[string]struct {
		head, begin string
		status      int
	}{
		"401":              {echoTask + " HTTP/1.1\r\n" + length, "", http.StatusUnauthorized},
		"403":              {"/__runner/task/other HTTP/1.1\r\n" + token + length, "", http.StatusForbidden},
		"404":              {"/elsewhere HTTP/1.1\r\n" + length, "", http.StatusNotFound},
		"413 of JSON":      {echoTask + " HTTP/1.1\r\n" + token + length, "", http.StatusRequestEntityTooLarge},
		"413 of a form":    {echoTask + " HTTP/1.1\r\n" + token + length + "Content-Type: multipart/form-data; boundary=b\r\n", form, http.StatusRequestEntityTooLarge},
		"413 behind 100":   {echoTask + " HTTP/1.1\r\n" + token + length + "Expect: 100-continue\r\nContent-Type: multipart/form-data; boundary=b\r\n", form, http.StatusRequestEntityTooLarge},
		"500 of a raw one": {echoTask + " HTTP/1.1\r\n" + token + length + "Content-Type: application/octet-stream\r\n", "", http.StatusInternalServerError},
	}
}

// Clients that send everything before they read get to read why they were refused, and
// use the connection again.
func TestRefusedUploads(t *testing.T) {
	server := bytesServer(t, false, tunnel.Config{Limits: protocol.Limits{MaxFileSize: 1 << 20}},
		func(context.Context, *protocol.Call) (*protocol.Reply, error) { return nil, testapp.ErrSecret })
	const size = 8 << 20
	for name, c := range refusals(size) {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.SetDeadline(time.Now().Add(hang)))
			_, err = fmt.Fprintf(conn, "POST %sHost: x\r\n\r\n%s", c.head, c.begin)
			require.NoError(t, err)
			_, err = io.CopyN(conn, testapp.Zeros{}, int64(size-len(c.begin)))
			require.NoError(t, err)
			_, err = fmt.Fprintf(conn, "GET /elsewhere HTTP/1.1\r\nHost: x\r\n\r\n")
			require.NoError(t, err)
			in := bufio.NewReader(conn)
			answers := []int{c.status, http.StatusNotFound}
			if strings.Contains(c.head, "Expect") {
				answers = []int{http.StatusContinue, c.status} // net/http closes it then
			}
			for _, want := range answers {
				res, err := http.ReadResponse(in, nil)
				require.NoError(t, err)
				assert.Equal(t, want, res.StatusCode)
				_, err = io.ReadAll(res.Body)
				require.NoError(t, err)
			}
		})
	}
}

// So do those whose body cannot be read on, since a task gave it up in the middle of a Read.
func TestRefusedUploadsGivenUpInARead(t *testing.T) {
	for name, head := range map[string]string{"length": "Content-Length: 8388611\r\n\r\nabc", "chunked": "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"} {
		t.Run(name, func(t *testing.T) {
			server := bytesServer(t, false, tunnel.Config{}, func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
				_, err := io.ReadFull(call.Body, make([]byte, 3))
				body, done := call.Body, make(chan struct{})
				go func() {
					defer close(done)
					_, _ = body.Read(make([]byte, 1)) // waits
				}()
				runtime.Gosched()
				return nil, errors.Join(testapp.ErrSecret, err, body.Close(), func() error { <-done; return nil }())
			})
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.SetDeadline(time.Now().Add(hang)))
			_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nx-runner-token: secret\r\nContent-Type: application/octet-stream\r\n%s", echoTask, head)
			require.NoError(t, err)
			in := bufio.NewReader(conn)
			_, err = in.Peek(1) // the answer is there
			require.NoError(t, err)
			if name == "chunked" {
				_, err = io.WriteString(conn, "800000\r\n")
				require.NoError(t, err)
			}
			_, err = io.CopyN(conn, testapp.Zeros{}, 8<<20)
			require.NoError(t, err)
			res, err := http.ReadResponse(in, nil)
			require.NoError(t, err)
			assert.Equal(t, http.StatusInternalServerError, res.StatusCode)
		})
	}
}

// Callers who are refused do not keep a server from its end.
func TestShutdownDoesNotWaitForRefusedUploads(t *testing.T) {
	server := bytesServer(t, false, tunnel.Config{}, nothing)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", echoTask)
	require.NoError(t, err)
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	require.NoError(t, err)
	_, err = io.ReadAll(res.Body)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- server.Config.Shutdown(t.Context()) }()
	for { // byte by byte, as long as one likes
		select {
		case err := <-ended:
			assert.NoError(t, err)
			return
		default:
			_, _ = conn.Write([]byte("x"))
			runtime.Gosched()
		}
	}
}

// A thousand refused uploads of 64 MiB at once cost little: half of them are received, as
// the limits say, and the others have their answer and half a second.
func TestManyRefusedUploads(t *testing.T) {
	const callers, lingering, sent = 1000, 500, 256 << 10
	handler := tunnel.New(tunnel.ExecutorFunc(nothing), tunnel.Config{
		Tokens: []string{"secret"}, AllowList: testapp.AllowList, Logger: testapp.Quiet, Limits: protocol.Limits{LingerCallers: lingering},
	})
	var ended sync.WaitGroup // handlers
	ended.Add(callers)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer ended.Done()
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	before, goroutines := heap(), runtime.NumGoroutine()
	var conns [callers]net.Conn
	for i := range conns {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(hang)))
		_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", echoTask, 64<<20)
		require.NoError(t, err)
		var status int
		_, err = fmt.Fscanf(conn, "HTTP/1.1 %d", &status) // at once
		require.NoError(t, err)
		require.Equal(t, http.StatusUnauthorized, status)
		conns[i] = conn
	}
	for _, conn := range conns {
		_, _ = io.CopyN(conn, testapp.Zeros{}, sent) // fails where nobody waits for it any more
	}
	grown, started := heap()-before, runtime.NumGoroutine()-goroutines
	t.Logf("%d refused: %d KiB of heap, %d goroutines", callers, grown>>10, started)
	assert.LessOrEqual(t, started, 2*callers, "of net/http")
	assert.LessOrEqual(t, grown, int64(callers*40<<10), "40 KiB for each connection")
	for _, conn := range conns {
		_ = conn.Close()
	}
	ended.Wait()
}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapInuse + stats.StackInuse)
}
