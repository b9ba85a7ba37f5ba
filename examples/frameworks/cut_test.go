package frameworks

import (
	"io"
	"log"
	"log/slog"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"

	tunnel "github.com/bluelibs/go-tunnel"
)

func newLog(w io.Writer) *log.Logger { return log.New(w, "", 0) }

// patience bounds what must happen.
const patience = 10 * time.Second

// handler serves an answer's tasks.
func (a answer) handler() http.Handler {
	var h http.Handler = tunnel.New(a.tasks, tunnel.Config{Tokens: []string{"secret"}, Logger: slog.New(slog.DiscardHandler)})
	if a.wrap != nil {
		h = a.wrap(h)
	}
	return h
}

// A streamed answer that ends early never looks whole, wherever the tunnel is mounted and
// however it is reached.
func TestCutAnswerNeverLooksWhole(t *testing.T) {
	for _, end := range ends {
		t.Run(end.name, func(t *testing.T) {
			var pool *ipc.Pool
			if end.survives {
				pool = startNode(t)
			}
			for _, transport := range transports {
				for _, m := range mounts {
					t.Run(transport.name+"/"+m.name, func(t *testing.T) {
						t.Parallel()
						a := end.begin(t, pool)
						s := transport.serve(t, m.mount(a.handler()))
						err := callAndCut(t, s, a)
						require.Error(t, err, "the answer looks whole")
						if transport.name == "HTTP 1.0" {
							assert.ErrorIs(t, err, syscall.ECONNRESET)
						}
						assert.NotContains(t, s.log.String(), "secret") // a token
					})
				}
			}
		})
	}
}

// callAndCut begins a streamed answer, ends it early and returns what its reader sees then.
func callAndCut(t *testing.T, s *server, a answer) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/__runner/task/"+a.task, nil)
	require.NoError(t, err)
	req.Header.Set("x-runner-token", "secret")
	req.Header.Set("x-runner-request-id", a.id)
	res, err := (&http.Client{Transport: s.caller, Timeout: patience}).Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.EqualValues(t, -1, res.ContentLength)
	begun := make([]byte, len(a.begun))
	_, err = io.ReadFull(res.Body, begun)
	require.NoError(t, err)
	require.Equal(t, a.begun, string(begun))
	a.cut(s)
	_, err = io.Copy(io.Discard, res.Body)
	return err
}
