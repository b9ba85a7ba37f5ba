package transfer_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"

	tunnel "github.com/bluelibs/go-tunnel"
)

// No answer waits for a body that nobody reads, whoever the caller is.
func TestAnswersDoNotWaitForUnreadBodies(t *testing.T) {
	server := bytesServer(t, false, tunnel.Config{Limits: protocol.Limits{LingerTime: time.Millisecond}, Authenticate: func(r *http.Request) (any, error) {
		if r.Header.Get("x-panic") != "" {
			panic("in Authenticate")
		}
		return nil, fmt.Errorf("nobody")
	}}, nothing)
	for head, status := range map[string]int{
		"OPTIONS " + echoTask + " HTTP/1.1\r\n":                                                http.StatusNoContent,
		"GET /__runner/discovery HTTP/1.1\r\nx-runner-token: secret\r\n":                       http.StatusOK,
		"GET /__runner/discovery HTTP/1.1\r\n":                                                 http.StatusUnauthorized,
		"POST " + echoTask + " HTTP/1.1\r\n":                                                   http.StatusUnauthorized,
		"POST " + echoTask + " HTTP/1.1\r\nx-panic: yes\r\n":                                   http.StatusInternalServerError,
		"POST /elsewhere HTTP/1.1\r\n":                                                         http.StatusNotFound,
		"POST " + echoTask + " HTTP/1.1\r\nExpect: 100-continue\r\n":                           http.StatusUnauthorized,
		"POST " + echoTask + " HTTP/1.1\r\nx-runner-token: secret\r\nContent-Encoding: br\r\n": http.StatusUnsupportedMediaType,
	} {
		t.Run(strings.ReplaceAll(head, "\r\n", " "), func(t *testing.T) {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.SetDeadline(time.Now().Add(hang)))
			_, _ = io.WriteString(conn, head+"Host: x\r\nContent-Length: 10\r\n\r\nabc")
			reader := bufio.NewReader(conn)
			res, err := http.ReadResponse(reader, nil)
			require.NoError(t, err)
			assert.Equal(t, status, res.StatusCode)
			_, err = io.ReadAll(res.Body)
			require.NoError(t, err)
			rest, _ := io.ReadAll(reader) // to the end of the connection
			assert.Empty(t, rest)
		})
	}
}

// A refused request whose body arrives is followed by others on its connection.
func TestRefusalsKeepTheConnection(t *testing.T) {
	server := bytesServer(t, false, tunnel.Config{}, func(ctx context.Context, _ *protocol.Call) (*protocol.Reply, error) {
		return &protocol.Reply{}, ctx.Err()
	})
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(hang)))
	reader := bufio.NewReader(conn)
	send := func(header, body string) int {
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", echoTask, header, len(body), body)
		res, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		_, err = io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode
	}
	const token = "x-runner-token: secret\r\n"
	assert.Equal(t, http.StatusUnauthorized, send("", "{}"))
	assert.Equal(t, http.StatusOK, send(token, "{}"))
	assert.Equal(t, http.StatusBadRequest, send(token+"Content-Encoding: gzip\r\n", "no gzip"))
	assert.Equal(t, http.StatusOK, send(token, "{}"))
}

// So is one whose task does not read its body, whatever its answer.
func TestUnreadBodiesKeepTheConnection(t *testing.T) {
	for name, reply := range map[string]func() *protocol.Reply{
		"a value":  func() *protocol.Reply { return &protocol.Reply{Value: []byte("1")} },
		"a stream": func() *protocol.Reply { return &protocol.Reply{Stream: io.NopCloser(strings.NewReader("text"))} },
	} {
		t.Run(name, func(t *testing.T) {
			server := bytesServer(t, false, tunnel.Config{}, func(context.Context, *protocol.Call) (*protocol.Reply, error) { return reply(), nil })
			reused := 0
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
				if info.Reused {
					reused++
				}
			}})
			for range 5 {
				res, err := sendBytes(ctx, server, "application/octet-stream", strings.NewReader("not read"))
				require.NoError(t, err)
				assert.Equal(t, http.StatusOK, res.StatusCode)
				_, err = io.ReadAll(res.Body)
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
			}
			assert.Equal(t, 4, reused)
		})
	}
}
