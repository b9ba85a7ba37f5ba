package conn

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/ipc/internal/text"
	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
	"github.com/bluelibs/go-tunnel/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newTestConn returns a conversation on the framed wire that nobody is told about.
func newTestConn(requests *os.File) *Conn {
	return New(Config{
		Requests: requests, MaxAnswer: 1000, Log: slog.New(slog.DiscardHandler),
		Hello: func(*wire.Hello) {}, Pong: func() {}, Draining: func() {}, Abandoned: func(time.Time) {}, Released: func(int, bool) {},
	})
}

// A message of an upload is written as a whole before the next one begins, and read as a whole.
func TestDataFitsPipe(t *testing.T) {
	if runtime.GOOS != "linux" || os.Getpagesize() != 4096 {
		t.Skip("pipes have another size")
	}
	const size = 16 * wire.FullData
	input, theirs, err := os.Pipe()
	require.NoError(t, err)
	defer input.Close()
	c := newTestConn(theirs)
	ctx, cancel := context.WithCancel(t.Context())
	var sides sync.WaitGroup
	sides.Go(func() { _ = c.WriteLoop() })
	sides.Go(func() {
		call := &protocol.Call{ID: "a", Body: io.NopCloser(bytes.NewReader(make([]byte, size)))}
		c.RoundTrip(ctx, 1, call, func(dst []byte, id uint64) []byte { return wire.AppendCall(dst, id, call, nil, "") })
	})
	buf := make([]byte, 64<<10)
	n, err := input.Read(buf)
	require.NoError(t, err)
	require.Contains(t, string(buf[:n]), `"body":true`)
	require.NoError(t, c.receiveWindow(&wire.Message{Type: "window", ID: 1, Size: size}))
	for read := 0; read < size; {
		n, err := input.Read(buf)
		require.NoError(t, err)
		line, data, _ := bytes.Cut(buf[:n], []byte("\n"))
		m, err := wire.ParseMessage(line)
		require.NoError(t, err)
		require.Equal(t, "data", m.Type)
		require.GreaterOrEqual(t, len(data), m.N, "the rest comes later")
		read += m.N
	}
	cancel()
	c.CloseWrite(false)
	sides.Wait()
}

func FuzzReadFramed(f *testing.F) {
	f.Add([]byte("{\"type\":\"hello\",\"wire\":1,\"tasks\":[\"a\"]}\n{\"id\":1,\"ok\":true,\"n\":3}\n[1]{\"id\":2,\"ok\":true,\"result\":8}\n"))
	f.Add([]byte("{\"type\":\"hello\",\"wire\":1}\n{\"id\":1,\"ok\":true,\"n\":99}\n[1]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		answered := make(chan wire.Answer, 1)
		c := newTestConn(nil)
		c.pending[1] = &pendingCall{answered: answered}
		err := c.readFramed(text.NewLineReader(bytes.NewReader(data), 1000))
		if err == nil {
			t.Fatal("no error at the end")
		}
		select {
		case a := <-answered:
			if a.Value != nil && !json.Valid(a.Value) {
				t.Fatalf("a result that is no JSON: %q", a.Value)
			}
		default:
		}
	})
}

// Whatever a worker says about streams, nothing hangs, panics or exceeds its bounds.
func FuzzStreams(f *testing.F) {
	hello := "{\"type\":\"hello\",\"wire\":1}\n"
	f.Add([]byte("{\"id\":1,\"ok\":true,\"stream\":true}\n{\"type\":\"data\",\"id\":1,\"n\":3}\nabc{\"type\":\"end\",\"id\":1}\n"))
	f.Add([]byte("{\"type\":\"window\",\"id\":1,\"size\":5}\n{\"type\":\"stop\",\"id\":1}\n{\"id\":1,\"ok\":true,\"result\":[1]}\n"))
	f.Add([]byte("{\"type\":\"end\",\"id\":1,\"error\":\"x\"}\n{\"type\":\"data\",\"id\":1,\"n\":-1}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		input, theirs, err := os.Pipe()
		require.NoError(t, err)
		defer input.Close()
		released := 0
		c := newTestConn(theirs)
		c.Released = func(int, bool) { released++ }
		var sides sync.WaitGroup
		sides.Go(func() { _ = c.WriteLoop() })
		sides.Go(func() { _, _ = io.Copy(io.Discard, input) })
		answered, pending := make(chan wire.Answer, 1), make(chan bool, 1)
		sides.Go(func() {
			call := &protocol.Call{ID: "a", Body: io.NopCloser(strings.NewReader("a body of a few bytes"))}
			a, left := c.RoundTrip(context.Background(), 1, call, func(dst []byte, id uint64) []byte {
				return wire.AppendCall(dst, id, call, nil, "")
			})
			answered <- a
			pending <- left
		})
		for asked := false; !asked; { // a worker says nothing of a call that it has not seen
			c.mu.Lock()
			asked = len(c.pending) > 0
			c.mu.Unlock()
			runtime.Gosched()
		}
		if c.readFramed(text.NewLineReader(io.MultiReader(strings.NewReader(hello), bytes.NewReader(data)), 1000)) == nil {
			t.Fatal("no error at the end")
		}
		c.CloseWrite(true)
		c.Fail(ErrEnded)
		a, left := <-answered, <-pending
		if a.Stream != nil {
			n, err := io.Copy(io.Discard, a.Stream.Body)
			if n > StreamWindow || err == nil && n > int64(len(data)) {
				t.Fatalf("%d bytes of a stream, %v", n, err)
			}
			require.NoError(t, a.Stream.Body.Close())
		}
		sides.Wait()
		if left != (released == 1) || released > 1 {
			t.Fatalf("a place was released %d times", released)
		}
	})
}

// What is ahead of a reader takes memory by its bytes, not by its messages.
func TestResultOfSingleBytes(t *testing.T) {
	input, requests, err := os.Pipe()
	require.NoError(t, err)
	defer input.Close()
	c := newTestConn(requests)
	answered := make(chan wire.Answer, 1)
	c.pending[1] = &pendingCall{answered: answered}
	var data strings.Builder
	data.WriteString("{\"type\":\"hello\",\"wire\":1}\n{\"id\":1,\"ok\":true,\"stream\":true}\n")
	for i := range InitialWindow {
		fmt.Fprintf(&data, "{\"type\":\"data\",\"id\":1,\"n\":1}\n%c", 'a'+rune(i%26))
	}
	data.WriteString("{\"type\":\"end\",\"id\":1}\n")
	require.ErrorIs(t, c.readFramed(text.NewLineReader(strings.NewReader(data.String()), 1000)), io.EOF)
	a := <-answered
	assert.LessOrEqual(t, len(a.Stream.Body.(*result).chunks), 1+InitialWindow/wire.MaxData)
	content, err := io.ReadAll(a.Stream.Body)
	require.NoError(t, err)
	require.Len(t, content, InitialWindow)
	for i, b := range content {
		require.Equal(t, 'a'+rune(i%26), rune(b), "byte %d", i)
	}
	c.CloseWrite(false)
	require.NoError(t, c.WriteLoop())
}
