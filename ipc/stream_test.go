package ipc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc/internal/conn"
	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
	"github.com/bluelibs/go-tunnel/protocol"
)

// misbehaveInStream is the part of a worker on the framed wire that has to do with
// streams. It reports false for a name that it does not know.
func misbehaveInStream(name string, out io.Writer, next func() (map[string]any, []byte)) bool {
	hello := `{"type":"hello","wire":1,"tasks":["a"]}`
	say := func(line string) { fmt.Fprint(out, line, "\n") }
	data := func(id any, n int) {
		fmt.Fprintf(out, "{\"type\":\"data\",\"id\":%v,\"n\":%d}\n%s", id, n, strings.Repeat("x", n))
	}
	start := func() (id any) {
		say(hello)
		message, _ := next()
		return message["id"]
	}
	begin := func(id any) { say(fmt.Sprintf(`{"id":%v,"ok":true,"stream":true}`, id)) }
	switch name {
	case "framed: stream beyond its credit":
		id := start()
		begin(id)
		for range conn.StreamWindow/wire.MaxData + 1 {
			data(id, wire.MaxData)
		}
	case "framed: stream of giant messages":
		id := start()
		begin(id)
		data(id, wire.MaxData+1)
	case "framed: stream of less than nothing":
		id := start()
		begin(id)
		say(fmt.Sprintf(`{"type":"data","id":%v,"n":-1}`, id))
	case "framed: stream that dies":
		id := start()
		begin(id)
		data(id, 3)
		os.Exit(3)
	case "framed: stream cut in a message":
		id := start()
		begin(id)
		data(id, 3)
		fmt.Fprintf(out, "{\"type\":\"data\",\"id\":%v,\"n\":100}\nxxx", id)
		os.Exit(3)
	case "framed: no such stream":
		say(fmt.Sprintf(`{"type":"window","id":%v,"s":1,"size":1}`, start()))
	case "framed: credit of nothing":
		say(fmt.Sprintf(`{"type":"window","id":%v,"size":0}`, start()))
	case "framed: endless credit":
		id := start()
		say(fmt.Sprintf(`{"type":"window","id":%v,"size":%d}`, id, 1<<30))
		say(fmt.Sprintf(`{"type":"window","id":%v,"size":1}`, id))
	case "framed: streams":
		say(hello)
		received := map[any]int{}
		for {
			message, payload := next()
			id := message["id"]
			switch message["type"] {
			case "task":
				switch message["taskId"] {
				case "echo": // says how much of the body there was, in a stream
					begin(id)
					say(fmt.Sprintf(`{"type":"window","id":%v,"size":100}`, id))
				case "count":
					say(fmt.Sprintf(`{"type":"window","id":%v,"size":100}`, id))
				case "stop":
					say(fmt.Sprintf(`{"type":"window","id":%v,"size":10}`, id))
				case "ignore":
					say(fmt.Sprintf(`{"id":%v,"ok":true,"result":1}`, id))
				case "fail half-way":
					say(fmt.Sprintf(`{"id":%v,"ok":true,"stream":true,"status":201,"contentType":"text/x","headers":["X-A","1","x-a","\u00e9","odd"]}`, id))
					data(id, 3)
					say(fmt.Sprintf(`{"type":"end","id":%v,"error":"disk failure"}`, id))
					say(fmt.Sprintf(`{"type":"end","id":%v}`, id))
				case "endless":
					begin(id)
					data(id, 3)
				}
			case "data":
				received[id] += len(payload)
				switch {
				case len(payload) > 100:
					say("more than granted")
				case received[id] == 10:
					say(fmt.Sprintf(`{"type":"stop","id":%v}`, id))
					say(fmt.Sprintf(`{"id":%v,"ok":true,"result":%d}`, id, received[id]))
				default:
					say(fmt.Sprintf(`{"type":"window","id":%v,"size":%d}`, id, len(payload)))
				}
			case "end":
				if message["error"] != nil {
					say(fmt.Sprintf(`{"id":%v,"ok":false,"error":{"id":"e","message":%q}}`, id, message["error"]))
					continue
				}
				text := fmt.Sprint(received[id])
				fmt.Fprintf(out, "{\"type\":\"data\",\"id\":%v,\"n\":%d}\n%s", id, len(text), text) // nothing, to a count
				say(fmt.Sprintf(`{"id":%v,"ok":true,"result":%d}`, id, received[id]))
				say(fmt.Sprintf(`{"type":"end","id":%v}`, id))
			case "cancel":
				fmt.Fprintln(os.Stderr, "cancelled", id)
				say(fmt.Sprintf(`{"type":"end","id":%v}`, id))
			}
		}
	default:
		return false
	}
	time.Sleep(time.Hour)
	return true
}

// body is a request body that notes its Close.
type body struct {
	io.Reader
	closed chan struct{}
}

func newBody(r io.Reader) *body { return &body{r, make(chan struct{}, 8)} }

func (b *body) Close() error {
	b.closed <- struct{}{}
	if c, ok := b.Reader.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

func startStreams(t *testing.T) (*Pool, *logBuffer) { return startFaulty(t, "framed: streams", framed) }

func requireFree(t *testing.T, pool *Pool) {
	t.Helper()
	eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 0 })
}

func TestBrokenStreams(t *testing.T) {
	for name, reason := range map[string]string{
		"framed: stream beyond its credit":    "protocol violation: window exceeded",
		"framed: stream of giant messages":    "protocol violation: invalid data size 65537",
		"framed: stream of less than nothing": "protocol violation: invalid data size -1",
		"framed: stream that dies":            "exit status 3",
		"framed: stream cut in a message":     "exit status 3",
		"framed: no such stream":              "protocol violation: invalid stream 1",
		"framed: credit of nothing":           "protocol violation: invalid window size 0",
		"framed: endless credit":              "protocol violation: invalid window size 1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, _ := startFaulty(t, name, framed)
			reader, writer := io.Pipe()
			defer writer.Close()
			call := &protocol.Call{ID: "a", Body: newBody(reader)}
			reply, err := pool.Execute(t.Context(), call)
			if err == nil {
				requireFree(t, pool) // before anything is read, which would give the worker more credit
				_, err = io.Copy(io.Discard, reply.Stream)
				require.NoError(t, reply.Stream.Close())
			}
			requireCode(t, protocol.CodeWorkerCrashed, err)
			require.ErrorContains(t, err, reason)
		})
	}
}

func TestRequestBody(t *testing.T) {
	pool, _ := startStreams(t)
	execute := func(id string, r io.Reader) (*protocol.Reply, error) {
		return pool.Execute(t.Context(), &protocol.Call{ID: id, Body: newBody(r)})
	}
	reply, err := execute("count", strings.NewReader(strings.Repeat("x", 12345)))
	require.NoError(t, err)
	assert.Equal(t, "12345", string(reply.Value), "all of it, 100 bytes at a time")

	reply, err = execute("count", strings.NewReader(""))
	require.NoError(t, err)
	assert.Equal(t, "0", string(reply.Value))

	_, err = execute("count", io.MultiReader(strings.NewReader("x"), failingReader{}))
	assert.ErrorContains(t, err, "broken body")

	reply, err = execute("echo", bytes.NewReader(make([]byte, 1000)))
	require.NoError(t, err)
	text, err := io.ReadAll(reply.Stream)
	require.NoError(t, err)
	assert.Equal(t, "1000", string(text))
	require.NoError(t, reply.Stream.Close())
	requireFree(t, pool)
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("broken body") }

// A body that the worker does not want to its end is given up, even if nothing comes.
func TestBodyThatIsNotRead(t *testing.T) {
	pool, _ := startStreams(t)
	for _, task := range []string{"ignore", "stop"} {
		reader, writer := io.Pipe()
		b := newBody(reader)
		go func() { _, _ = writer.Write(make([]byte, 11)) }()
		_, err := pool.Execute(t.Context(), &protocol.Call{ID: task, Body: b})
		require.NoError(t, err)
		if task == "stop" {
			<-b.closed
		} else {
			require.Empty(t, b.closed, "nobody has touched it")
			_ = reader.Close()
		}
		requireFree(t, pool)
	}
}

func TestCallerWhoLeavesAnUpload(t *testing.T) {
	pool, log := startStreams(t)
	reader, _ := io.Pipe()
	b := newBody(reader)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := pool.Execute(ctx, &protocol.Call{ID: "count", Body: b})
		done <- err
	}()
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.Eventually(t, func() bool {
		return strings.Contains(log.String(), "cancelled") || pool.Stats().Workers[0].InFlight == 0
	}, 10*time.Second, time.Millisecond)
	requireFree(t, pool)
}

func TestResultStream(t *testing.T) {
	pool, log := startStreams(t)
	reply, err := pool.Execute(t.Context(), task("fail half-way", ""))
	require.NoError(t, err)
	assert.Equal(t, 201, reply.Status)
	assert.Equal(t, "text/x", reply.ContentType)
	assert.Equal(t, []string{"1", "\xe9"}, reply.StreamHeader.Values("X-A"))
	text, err := io.ReadAll(reply.Stream)
	assert.Equal(t, "xxx", string(text))
	assert.ErrorContains(t, err, "disk failure")
	require.NoError(t, reply.Stream.Close())
	requireFree(t, pool)

	t.Run("its reader closes it", func(t *testing.T) {
		reply, err := pool.Execute(t.Context(), task("endless", ""))
		require.NoError(t, err)
		_, err = reply.Stream.Read(make([]byte, 2))
		require.NoError(t, err)
		require.NoError(t, reply.Stream.Close())
		_, err = reply.Stream.Read(make([]byte, 1))
		require.Error(t, err)
		requireFree(t, pool)
		eventually(t, func() bool { return strings.Contains(log.String(), "cancelled") })
	})
	t.Run("its caller leaves", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		reply, err := pool.Execute(ctx, task("endless", ""))
		require.NoError(t, err)
		_, err = io.ReadFull(reply.Stream, make([]byte, 3))
		require.NoError(t, err)
		time.AfterFunc(time.Millisecond, cancel)
		_, err = reply.Stream.Read(make([]byte, 1)) // waits
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, reply.Stream.Close())
		requireFree(t, pool)
	})
}

func TestPlainWorkersTakeNoStreams(t *testing.T) {
	pool := startNode(t)
	_, err := pool.Execute(t.Context(), &protocol.Call{ID: "app.tasks.add", Body: newBody(strings.NewReader("x"))})
	requireCode(t, protocol.CodeUnsupportedMediaType, err)
	require.ErrorContains(t, err, "framed wire")
}
