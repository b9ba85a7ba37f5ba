package client_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/client"
)

func TestStream(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		w.Header().Set("X-Rows", "2")
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.WriteString(w, "a,b")
	})
	stream, err := client.TaskStream(t.Context(), c, "a", nil)
	require.NoError(t, err)
	defer stream.Close()
	assert.Equal(t, http.StatusPartialContent, stream.Status)
	assert.Equal(t, "text/csv", stream.ContentType)
	assert.Equal(t, "2", stream.Header.Get("X-Rows"))
	body, err := io.ReadAll(stream)
	require.NoError(t, err)
	assert.Equal(t, "a,b", string(body))
}

// No limit is for streams.
func TestLargeStream(t *testing.T) {
	const size = 8 << 20
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = io.CopyN(w, endless{}, size)
	}, func(cfg *client.Config) { cfg.MaxResponse = 1 })
	stream, err := client.TaskStream(t.Context(), c, "a", nil)
	require.NoError(t, err)
	defer stream.Close()
	n, err := io.Copy(io.Discard, stream)
	require.NoError(t, err)
	assert.Equal(t, int64(size), n)
}

func TestStreamOfAValue(t *testing.T) {
	_, err := client.TaskStream(t.Context(), serve(t, answering(200, "Application/JSON; charset=x", okAnswer)), "a", nil)
	var answer *client.AnswerError
	require.ErrorAs(t, err, &answer)
	assert.Equal(t, "a value, not a stream", answer.Reason)

	_, err = client.TaskStream(t.Context(), serve(t, answering(404, "application/octet-stream", "bytes")), "a", nil)
	require.ErrorAs(t, err, &answer)
	assert.Equal(t, 404, answer.Status)

	_, err = client.Task[string](t.Context(), serve(t, answering(200, "application/octet-stream", "bytes")), "a", nil)
	require.ErrorAs(t, err, &answer)
	assert.Equal(t, "bytes", answer.Preview)
}

// A cut body must not pass for a whole one.
func TestCutStream(t *testing.T) {
	for _, head := range []string{"Content-Length: 100", "Transfer-Encoding: chunked"} {
		body := "bytes"
		if strings.HasPrefix(head, "T") {
			body = "5\r\nbytes\r\n"
		}
		c := serve(t, hijacked(t, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"+head+"\r\n\r\n"+body))
		stream, err := client.TaskStream(t.Context(), c, "a", nil)
		require.NoError(t, err)
		got, err := io.ReadAll(stream)
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.Equal(t, "bytes", string(got))
		require.NoError(t, stream.Close())
	}
}

// upperLine answers each line as soon as it is there.
func upperLines(t *testing.T) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "application/octet-stream", r.Header.Get("Content-Type"))
		controller := http.NewResponseController(w)
		if r.ProtoMajor == 1 {
			assert.NoError(t, controller.EnableFullDuplex())
		}
		w.Header().Set("Content-Type", "text/plain")
		assert.NoError(t, controller.Flush())
		for lines := bufio.NewScanner(r.Body); lines.Scan(); {
			_, _ = io.WriteString(w, strings.ToUpper(lines.Text())+"\n")
			if controller.Flush() != nil {
				return
			}
		}
	}
}

// Both directions at once: every line is sent after the answer to the one before.
func TestDuplex(t *testing.T) {
	for name, start := range map[string]func(*httptest.Server){
		"HTTP/1.1": (*httptest.Server).Start,
		"HTTP/2": func(s *httptest.Server) {
			s.EnableHTTP2 = true
			s.StartTLS()
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(upperLines(t))
			start(server)
			defer server.Close()
			c := newClient(t, server.URL, func(cfg *client.Config) { cfg.HTTPClient = server.Client() })
			r, w := io.Pipe()
			stream, err := client.TaskStream(bounded(t), c, "a", r)
			require.NoError(t, err)
			defer stream.Close()
			answers := bufio.NewReader(stream)
			for _, line := range []string{"one\n", "two\n", "three\n"} {
				_, err := io.WriteString(w, line)
				require.NoError(t, err)
				answer, err := answers.ReadString('\n')
				require.NoError(t, err)
				assert.Equal(t, strings.ToUpper(line), answer)
			}
			require.NoError(t, w.Close())
			_, err = answers.ReadByte()
			assert.Equal(t, io.EOF, err)
		})
	}
}

// Close in the middle ends both directions.
func TestCloseOfADuplexStream(t *testing.T) {
	ended := make(chan struct{})
	lines := upperLines(t)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		lines(w, r)
		close(ended)
	})
	r, w := io.Pipe()
	stream, err := client.TaskStream(bounded(t), c, "a", r)
	require.NoError(t, err)
	require.NoError(t, stream.Close())
	_, err = io.WriteString(w, "more\n")
	assert.ErrorIs(t, err, io.ErrClosedPipe)
	<-ended
}

func TestContextEndsAStream(t *testing.T) {
	ctx, cancel := context.WithCancel(bounded(t))
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "begin")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	stream, err := client.TaskStream(ctx, c, "a", nil)
	require.NoError(t, err)
	defer stream.Close()
	_, err = io.ReadFull(stream, make([]byte, 5))
	require.NoError(t, err)
	cancel()
	_, err = stream.Read(make([]byte, 1))
	assert.ErrorIs(t, err, context.Canceled)
}

// The reader's own error is found where the stream ends for it.
func TestReaderFailsBehindAStream(t *testing.T) {
	c := serve(t, upperLines(t))
	r, w := io.Pipe()
	stream, err := client.TaskStream(bounded(t), c, "a", r)
	require.NoError(t, err)
	defer stream.Close()
	w.CloseWithError(errReader)
	_, err = io.ReadAll(stream)
	assert.ErrorIs(t, err, errReader)
}

func TestErrorInsteadOfAStream(t *testing.T) {
	c := serve(t, answering(401, "application/json", `{"ok":false,"error":{"message":"Unauthorized","code":"UNAUTHORIZED"}}`))
	_, err := client.TaskStream(t.Context(), c, "a", nil)
	var remote *protocol.Error
	require.ErrorAs(t, err, &remote)
	assert.Equal(t, protocol.CodeUnauthorized, remote.Code)
}
