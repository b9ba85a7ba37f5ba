package frameworks

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

// leftInGo has the tasks of testdata/left.mjs.
func leftInGo() tunnel.Executor {
	tasks := standalone.NewRegistry()
	read := func(call *protocol.Call) (err error) {
		var source io.Reader = strings.NewReader("")
		if call.Body != nil {
			source = call.Body
		} else if call.Form != nil {
			source, err = call.Form.Open("f")
		}
		if err == nil {
			_, err = io.Copy(io.Discard, source)
		}
		return err
	}
	tasks.HandleTask("waits", func(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
		if err := read(call); err != nil {
			return nil, err
		}
		<-ctx.Done()
		return nil, ctx.Err()
	})
	tasks.HandleTask("streams", func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		return &protocol.Reply{Stream: io.NopCloser(endless{})}, read(call)
	})
	return tasks
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

var leftBodies = map[string]struct{ contentType, body string }{
	"none": {"", ""},
	"JSON": {"application/json", `{"input":{"text":"` + strings.Repeat("x", 10000) + `"}}`},
	"form": {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"__manifest\"\r\n\r\n" +
		`{"input":{"file":{"$runnerFile":"File","id":"f"}}}` + "\r\n--b\r\nContent-Disposition: form-data; name=\"file:f\"; filename=\"f\"\r\n\r\n" +
		strings.Repeat("x", 10000) + "\r\n--b--\r\n"},
	"raw": {"application/octet-stream", strings.Repeat("x", 10000)},
}

// A caller who leaves is one line at Debug, whenever it does, over HTTP/3 and h2c as well.
func TestCallersWhoLeave(t *testing.T) {
	opts := ipc.Node("testdata/left.mjs")
	opts.Logger = slog.New(slog.DiscardHandler)
	pool, err := ipc.Start(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	for name, tasks := range map[string]tunnel.Executor{"Go": leftInGo(), "Node": pool} {
		for _, transport := range transports {
			if transport.name != "h2c" && transport.name != "HTTP 3" { // the root's tests have the others
				continue
			}
			for body, kind := range leftBodies {
				for _, moment := range []string{"in the middle of the body", "while the task runs", "while the answer streams"} {
					for _, how := range []string{"cancel", "close"} {
						if body == "none" && moment == "in the middle of the body" || how == "close" && transport.name == "h2c" {
							continue
						}
						t.Run(strings.Join([]string{name, transport.name, body, moment, how}, "/"), func(t *testing.T) {
							log := new(output)
							arrived, started := make(chan struct{}), make(chan struct{})
							handler := tunnel.New(tasks, tunnel.Config{
								Tokens: []string{"secret"},
								Logger: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
								Middleware: []tunnel.Middleware{tunnel.Check(func(context.Context, *protocol.Call) error {
									close(started)
									return nil
								})},
							})
							s := transport.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
								close(arrived)
								handler.ServeHTTP(w, r)
							}))
							leave(t, s, kind.contentType, kind.body, moment, how, arrived, started)
							var line struct{ Level, Code string }
							require.Eventually(t, func() bool { return json.Unmarshal([]byte(log.String()), &line) == nil }, 30*time.Second, time.Millisecond,
								"one line, of %q", log)
							assert.Equal(t, "DEBUG", line.Level, log)
							assert.Equal(t, "REQUEST_ABORTED", line.Code, log)
						})
					}
				}
			}
		}
	}
}

// leave makes a call and leaves it at a moment.
func leave(t *testing.T, s *server, contentType, body, moment, how string, arrived, started <-chan struct{}) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	task, sent := "waits", len(body)
	switch moment {
	case "in the middle of the body":
		sent /= 2
	case "while the answer streams":
		task = "streams"
	}
	arrives, input := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/__runner/task/"+task, arrives)
	require.NoError(t, err)
	req.ContentLength = int64(len(body))
	if body == "" {
		req.Body = http.NoBody
	}
	req.Header = http.Header{"X-Runner-Token": {"secret"}, "Content-Type": {contentType}}
	answers := make(chan error, 1)
	go func() {
		res, err := s.caller.RoundTrip(req)
		if err == nil {
			_, err = io.CopyN(io.Discard, res.Body, 1<<20)
			defer res.Body.Close()
			answers <- err
			<-ctx.Done()
			return
		}
		answers <- fmt.Errorf("no answer: %w", err)
	}()
	if body != "" {
		_, err = io.WriteString(input, body[:sent])
		require.NoError(t, err)
		if sent == len(body) {
			_ = input.Close()
		}
	}
	switch moment {
	case "in the middle of the body": // a reset of HTTP/3 overtakes what was sent
		<-arrived
	case "while the task runs":
		<-started
	case "while the answer streams":
		require.NoError(t, <-answers)
	}
	if http3, ok := s.caller.(*http3.Transport); ok && how == "close" {
		require.NoError(t, http3.Close())
	}
	cancel()
	_ = input.CloseWithError(context.Canceled)
}
