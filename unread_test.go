package tunnel_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"

	tunnel "github.com/bluelibs/go-tunnel"
)

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
