package frameworks

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

// answer is a streamed one that has begun, and how it is ended early.
type answer struct {
	tasks tunnel.Executor
	task  string
	begun string                          // what is sent of it at first
	id    string                          // of the request
	wrap  func(http.Handler) http.Handler // around the tunnel, nil: nothing
	cut   func(*server)
}

// ends are the ways in which a streamed answer can end early. Pool is nil, or one that can be
// shared, as its worker survives.
var ends = []struct {
	name     string
	survives bool
	begin    func(t *testing.T, pool *ipc.Pool) answer
}{
	{"Go, the stream fails", false, func(*testing.T, *ipc.Pool) answer {
		s := newStream()
		return s.answer(func() { s.out.CloseWithError(errors.New("this text stays in the log")) })
	}},
	{"Go, the stream fails after the head", false, func(*testing.T, *ipc.Pool) answer {
		s := newStream()
		s.headOnly = true
		return s.answer(func() { s.out.CloseWithError(errors.New("this text stays in the log")) })
	}},
	{"Go, the stream panics", false, func(*testing.T, *ipc.Pool) answer {
		s := newStream()
		s.atEnd = func() { panic("this text stays in the log") }
		return s.answer(func() { s.out.Close() })
	}},
	{"Go, the stream cannot be closed", false, func(*testing.T, *ipc.Pool) answer {
		s := newStream()
		s.closeErr = errors.New("this text stays in the log")
		return s.answer(func() { s.out.Close() })
	}},
	{"Go, the deadline is over", false, func(*testing.T, *ipc.Pool) answer {
		expire := make(chan struct{})
		a := newStream().answer(func() { close(expire) })
		a.wrap = withDeadline(expire)
		return a
	}},
	{"Go, the server's context is cancelled", false, func(*testing.T, *ipc.Pool) answer {
		a := newStream().answer(nil)
		a.cut = func(s *server) { s.cancel() }
		return a
	}},
	{"Go, the server is closed", false, func(*testing.T, *ipc.Pool) answer {
		a := newStream().answer(nil)
		a.cut = func(s *server) { s.close() }
		return a
	}},
	{"Node, the stream fails", true, func(t *testing.T, pool *ipc.Pool) answer { return nodeAnswer(pool, "fails", nil) }},
	{"Node, the worker exits", false, func(t *testing.T, _ *ipc.Pool) answer { return nodeAnswer(startNode(t), "exits", nil) }},
	{"Node, the worker is killed", false, func(t *testing.T, _ *ipc.Pool) answer { return nodeAnswer(startNode(t), "killed", nil) }},
	{"Node, the deadline is over", true, func(t *testing.T, pool *ipc.Pool) answer {
		expire := make(chan struct{})
		a := nodeAnswer(pool, "waits", func(*ipc.Pool, *server) { close(expire) })
		a.wrap = withDeadline(expire)
		return a
	}},
	{"Node, the server's context is cancelled", true, func(t *testing.T, pool *ipc.Pool) answer {
		return nodeAnswer(pool, "waits", func(_ *ipc.Pool, s *server) { s.cancel() })
	}},
	{"Node, the server is closed", true, func(t *testing.T, pool *ipc.Pool) answer {
		return nodeAnswer(pool, "waits", func(_ *ipc.Pool, s *server) { s.close() })
	}},
	{"Node, the pool is closed", false, func(t *testing.T, _ *ipc.Pool) answer {
		return nodeAnswer(startNode(t), "waits", func(p *ipc.Pool, _ *server) { assert.NoError(t, p.Close()) })
	}},
	{"Node, the pool's time to stop is over", false, func(t *testing.T, _ *ipc.Pool) answer {
		return nodeAnswer(startNode(t), "waits", func(p *ipc.Pool, _ *server) {
			over, cancel := context.WithCancel(t.Context())
			cancel()
			assert.ErrorIs(t, p.Shutdown(over), context.Canceled)
		})
	}},
	{"wire, garbage", false, func(t *testing.T, _ *ipc.Pool) answer { return rogueAnswer(t, "garbage") }},
	{"wire, half a message", false, func(t *testing.T, _ *ipc.Pool) answer { return rogueAnswer(t, "half a message") }},
	{"wire, no flow control", false, func(t *testing.T, _ *ipc.Pool) answer { return rogueAnswer(t, "no flow control") }},
}

// padding follows the first word, for proxies that wait for some more.
const padding = 16<<10 - len("first")

// stream is the result of a task in Go.
type stream struct {
	*io.PipeReader
	out      *io.PipeWriter
	headOnly bool
	atEnd    func()
	closeErr error
}

func newStream() *stream {
	s := &stream{atEnd: func() {}}
	s.PipeReader, s.out = io.Pipe()
	return s
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.PipeReader.Read(p)
	if err == io.EOF {
		s.atEnd()
	}
	return n, err
}

func (s *stream) Close() error { return errors.Join(s.closeErr, s.PipeReader.Close()) }

// answer is a task that has the stream as its result. It ends with its context.
func (s *stream) answer(cut func()) answer {
	begun := "first"
	if s.headOnly {
		begun = ""
	}
	tasks := standalone.NewRegistry()
	standalone.Task(tasks, "task", func(ctx context.Context, _ struct{}) (*protocol.Reply, error) {
		context.AfterFunc(ctx, func() { s.out.CloseWithError(ctx.Err()) })
		if begun != "" {
			go io.WriteString(s.out, begun+strings.Repeat(".", padding))
		}
		return &protocol.Reply{Stream: s, ContentType: "text/plain", FlushHeader: s.headOnly}, nil
	})
	return answer{tasks: tasks, task: "task", begun: begun, cut: func(*server) { cut() }}
}

func startNode(t *testing.T) *ipc.Pool { return startPool(t, ipc.Node("testdata/tasks.mjs")) }

func startPool(t *testing.T, opts ipc.Options) *ipc.Pool {
	t.Helper()
	opts.Logger = slog.New(slog.DiscardHandler)
	pool, err := ipc.Start(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, pool.Close()) })
	return pool
}

// nodeAnswer is a task of a worker. Nil cut means that the task itself knows how.
func nodeAnswer(pool *ipc.Pool, task string, cut func(*ipc.Pool, *server)) answer {
	a := answer{tasks: pool, task: task, begun: "first", id: rand.Text()}
	a.cut = func(s *server) {
		if cut != nil {
			cut(pool, s)
			return
		}
		// A worker that dies of it does not answer, but has died when this returns.
		_, _ = pool.Execute(context.Background(), &protocol.Call{Kind: protocol.KindTask, ID: "break", Payload: []byte(strconv.Quote(a.id))})
	}
	return a
}

// rogueAnswer is a task of a worker that breaks the wire.
func rogueAnswer(t *testing.T, how string) answer {
	return nodeAnswer(startPool(t, ipc.Options{Command: []string{"node", "testdata/rogue.mjs", how}}), "waits", nil)
}

// withDeadline gives requests a context whose deadline has come when expired is closed.
func withDeadline(expired <-chan struct{}) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(deadline{r.Context(), expired}))
		})
	}
}

// deadline is what context.WithTimeout returns, without a clock.
type deadline struct {
	context.Context
	expired <-chan struct{}
}

func (d deadline) Done() <-chan struct{} { return d.expired }

func (d deadline) Err() error {
	select {
	case <-d.expired:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
