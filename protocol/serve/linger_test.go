package serve_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/serve"
)

// hang is how long a test waits for what comes at once unless something is wrong.
const hang = 30 * time.Second

// refusing serves 401 without reading bodies.
func refusing(t *testing.T, limits protocol.Limits) *httptest.Server {
	linger := serve.NewLinger(limits)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := serve.OverNetHTTP(w, r)
		linger.Before(x, r, false)
		assert.NoError(t, serve.WriteError(x, &protocol.Error{Code: protocol.CodeUnauthorized}, false))
		linger.After(x, r, false, nil)
	}))
	t.Cleanup(server.Close)
	return server
}

type caller struct {
	net.Conn
	*bufio.Reader
}

func dial(t *testing.T, server *httptest.Server) caller {
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(hang)))
	return caller{conn, bufio.NewReader(conn)}
}

func (c caller) Read(b []byte) (int, error) { return c.Reader.Read(b) }

func (c caller) answer(t *testing.T) *http.Response {
	res, err := http.ReadResponse(c.Reader, nil)
	require.NoError(t, err)
	_, err = io.ReadAll(res.Body)
	require.NoError(t, err)
	return res
}

const post = "POST / HTTP/1.1\r\nHost: x\r\n"

func TestUnreadBodies(t *testing.T) {
	chunk := "8000\r\n" + strings.Repeat("x", 0x8000) + "\r\n"
	for name, c := range map[string]struct {
		head   string
		body   string // sent behind the answer
		limits protocol.Limits
		kept   bool // the connection, for another request
		closes bool // said in the answer
	}{
		"none":               {head: "\r\n", kept: true},
		"empty":              {head: "Content-Length: 0\r\n\r\n", kept: true},
		"sent with the head": {head: "Content-Length: 3\r\n\r\nabc", kept: true},
		"of the limit":       {head: "Content-Length: 300000\r\n\r\n", body: strings.Repeat("x", 300000), limits: protocol.Limits{LingerBytes: 300000}, kept: true},
		"over the limit":     {head: "Content-Length: 300000\r\n\r\n", body: strings.Repeat("x", 300000), limits: protocol.Limits{LingerBytes: 299999}, closes: true},
		"chunked":            {head: "Transfer-Encoding: chunked\r\n\r\n", body: strings.Repeat(chunk, 20) + "0\r\n\r\n", kept: true},
		"chunked and too long": {head: "Transfer-Encoding: chunked\r\n\r\n", body: strings.Repeat(chunk, 20) + "0\r\n\r\n",
			limits: protocol.Limits{LingerBytes: 19 * 0x8000}},
		"badly chunked":      {head: "Transfer-Encoding: chunked\r\n\r\n", body: "no chunk\r\n"},
		"stops for too long": {head: "Content-Length: 9\r\n\r\n", body: "abc", limits: protocol.Limits{LingerTime: 20 * time.Millisecond}},
		"never begins":       {head: "Content-Length: 9\r\n\r\n", limits: protocol.Limits{LingerTime: 20 * time.Millisecond}},
		"not asked for":      {head: "Content-Length: 9\r\nExpect: 100-continue\r\n\r\n", closes: true},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, refusing(t, c.limits))
			_, err := io.WriteString(conn, post+c.head)
			require.NoError(t, err)
			res := conn.answer(t) // at once
			assert.Equal(t, http.StatusUnauthorized, res.StatusCode)
			assert.Equal(t, c.closes, res.Close)
			_, err = io.WriteString(conn, c.body)
			require.NoError(t, err)
			if !c.kept {
				rest, _ := io.ReadAll(conn) // to the end of the connection
				assert.Empty(t, rest)
				return
			}
			_, err = io.WriteString(conn, post+"\r\n")
			require.NoError(t, err)
			assert.Equal(t, http.StatusUnauthorized, conn.answer(t).StatusCode)
		})
	}
}

// Callers beyond those that it is done for are answered all the same.
func TestLingeringCallersAreBounded(t *testing.T) {
	server := refusing(t, protocol.Limits{LingerCallers: 1})
	first := dial(t, server)
	_, err := io.WriteString(first, post+"Content-Length: 3\r\n\r\n")
	require.NoError(t, err)
	first.answer(t)

	second := dial(t, server)
	_, err = io.WriteString(second, post+"Content-Length: 3\r\n\r\n")
	require.NoError(t, err)
	second.answer(t)
	rest, err := io.ReadAll(second)
	require.NoError(t, err, "half a second for callers who read")
	assert.Empty(t, rest)

	_, err = io.WriteString(first, "abc"+post+"\r\n")
	require.NoError(t, err)
	first.answer(t)

	third := dial(t, server)
	_, err = io.WriteString(third, post+"Content-Length: 3\r\n\r\n")
	require.NoError(t, err)
	third.answer(t)
	_, err = io.WriteString(third, "abc"+post+"\r\n")
	require.NoError(t, err)
	third.answer(t)
}

// The end of an answer of unknown length is not sent before all of it was written: there
// is no long waiting for the caller then.
func TestAnswersOfUnknownLengthDoNotLinger(t *testing.T) {
	linger := serve.NewLinger(protocol.Limits{LingerTime: time.Hour})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := serve.OverNetHTTP(w, r)
		linger.Before(x, r, false)
		_, err := fmt.Fprint(x, "chunked")
		assert.NoError(t, err)
		linger.After(x, r, false, nil)
	}))
	t.Cleanup(server.Close)
	conn := dial(t, server)
	_, err := io.WriteString(conn, post+"Transfer-Encoding: chunked\r\n\r\n")
	require.NoError(t, err)
	conn.answer(t)
}

// Without deadlines nothing could end a Read.
func TestUnreadBodiesWithoutDeadlines(t *testing.T) {
	body := strings.NewReader("abc")
	linger := serve.NewLinger(protocol.Limits{})
	r := httptest.NewRequest(http.MethodPost, "/", body)
	x := serve.OverNetHTTP(httptest.NewRecorder(), r)
	linger.Before(x, r, false)
	linger.After(x, r, false, nil)
	assert.Equal(t, 3, body.Len())
}
