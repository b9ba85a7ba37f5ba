package ipc

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

// misbehaveFramed is a worker on the framed wire that breaks one rule, or keeps an odd
// one. It runs in a child process.
func misbehaveFramed(name string) {
	in, out := bufio.NewReader(os.NewFile(3, "calls")), os.NewFile(4, "answers")
	defer runtime.KeepAlive(in) // or it is closed when nothing is read any more
	say := func(line string) { fmt.Fprint(out, line, "\n") }
	next := func() (message map[string]any, payload []byte) {
		line, err := in.ReadBytes('\n')
		if err != nil {
			os.Exit(0)
		}
		if err := json.Unmarshal(line, &message); err != nil {
			panic(err)
		}
		if n, ok := message["n"].(float64); ok {
			payload = make([]byte, int(n))
			if _, err := io.ReadFull(in, payload); err != nil {
				os.Exit(0)
			}
		}
		return message, payload
	}
	hello := cmp.Or(os.Getenv("IPC_TEST_HELLO"), `{"type":"hello","wire":1,"tasks":["a"],"events":["e"],"auth":true}`)
	switch name {
	case "framed: says nothing":
		time.Sleep(time.Hour)
	case "framed: ends at once":
		os.Exit(7)
	case "framed: wrong version":
		say(`{"type":"hello","wire":2}`)
		time.Sleep(time.Hour)
	case "framed: no hello first":
		say(`{"type":"pong"}`)
		time.Sleep(time.Hour)
	case "framed: answers before hello":
		say(`{"id":1,"ok":true}`)
		time.Sleep(time.Hour)
	case "framed: garbage":
		say(hello)
		next()
		say(`garbage`)
		time.Sleep(time.Hour)
	case "framed: half a message":
		say(hello)
		message, _ := next()
		fmt.Fprintf(out, `{"id":%v,"ok":true,"result":`, message["id"])
	case "framed: half a result":
		say(hello)
		message, _ := next()
		fmt.Fprintf(out, "{\"id\":%v,\"ok\":true,\"n\":100}\n[1,2", message["id"])
	case "framed: a giant line":
		say(hello)
		next()
		say(strings.Repeat("x", 200_000))
		time.Sleep(time.Hour)
	case "framed: a giant result":
		say(hello)
		message, _ := next()
		say(fmt.Sprintf(`{"id":%v,"ok":true,"n":200000}`, message["id"]))
		message, _ = next() // the first one has failed by now
		say(strings.Repeat("x", 199_999))
		say(fmt.Sprintf(`{"id":%v,"ok":true,"result":2}`, message["id"]))
		time.Sleep(time.Hour)
	case "framed: polite", "framed: slow":
		if name == "framed: slow" {
			time.Sleep(200 * time.Millisecond)
		}
		say(hello)
		say(`{"type":"of a later version","n":0}`)
		say(`{"type":"log","level":"warn","message":"careful"}`)
		for {
			message, payload := next()
			switch message["type"] {
			case "task", "event":
				if message["taskId"] == "never" {
					continue
				}
				say(`{"id":999,"ok":true,"result":"an id that nobody knows"}`)
				value, err := json.Marshal(map[string]any{"message": message, "payload": string(payload)})
				if err != nil {
					panic(err)
				}
				fmt.Fprintf(out, "{\"id\":%v,\"ok\":true,\"n\":%d}\n%s", message["id"], len(value), value)
			case "auth":
				if strings.Contains(fmt.Sprint(message["headers"]), "authorization\ngood") {
					say(fmt.Sprintf(`{"id":%v,"ok":true,"result":{"url":%q}}`, message["id"], message["url"]))
				} else {
					say(fmt.Sprintf(`{"id":%v,"ok":false,"error":{"code":"UNAUTHORIZED","message":"Unauthorized"}}`, message["id"]))
				}
			case "cancel":
				fmt.Fprintln(os.Stderr, "cancelled", message["id"])
				say(fmt.Sprintf(`{"id":%v,"ok":true,"result":"too late"}`, message["id"]))
			}
		}
	default:
		if !misbehaveInStream(name, out, next) {
			panic("no such worker: " + name)
		}
	}
}

func framed(o *Options) { o.Wire = FramedWire }

func TestFramedStartFails(t *testing.T) {
	for name, reason := range map[string]string{
		"framed: says nothing":         "it sent no hello within Options.StartTimeout (300ms)",
		"framed: ends at once":         "exit status 7",
		"framed: wrong version":        "the worker has version 2 of the wire, not 1",
		"framed: no hello first":       `the first message is "pong", not hello`,
		"framed: answers before hello": "invalid message",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := func(timeout time.Duration) error {
				pool, err := Start(t.Context(), Options{
					Command:      []string{os.Args[0]},
					Env:          append(os.Environ(), "IPC_TEST_WORKER="+name),
					StartTimeout: timeout,
					Workers:      2,
					Logger:       (&logBuffer{}).logger(),
				})
				if pool != nil {
					assert.NoError(t, pool.Close())
				}
				return err
			}
			timeout := time.Minute
			if name == "framed: says nothing" {
				timeout = 300 * time.Millisecond
			}
			err := start(timeout)
			require.ErrorContains(t, err, reason)
			assert.ErrorContains(t, err, "needs Options.Wire")
		})
	}
}

// The error of Start says what is wrong with a module.
func TestModuleStartFails(t *testing.T) {
	for name, c := range map[string]struct{ code, want string }{
		"throws":          {`throw new TypeError("no " + "way");`, "cannot load"},
		"a package":       {`import "no-such-package";`, "no-such-package"},
		"exports nothing": {`export const task = {};`, "exports nothing to serve"},
		"not a program":   {`export const = 1;`, "SyntaxError"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "broken.mjs")
			require.NoError(t, os.WriteFile(file, []byte(c.code), 0o600))
			opts := Node(file)
			opts.Workers, opts.Logger = 2, discard
			_, err := Start(t.Context(), opts)
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "Options.Wire")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestFramedWorkerThatBreaksTheWire(t *testing.T) {
	for name, reason := range map[string]string{
		"framed: garbage":        "invalid message",
		"framed: half a message": "exit status 0",
		"framed: half a result":  "unexpected EOF",
		"framed: a giant line":   "invalid message",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, _ := startFaulty(t, name, framed, func(o *Options) { o.MaxAnswer = 100_000 })
			_, err := pool.Execute(t.Context(), task("a", ""))
			requireCode(t, protocol.CodeWorkerCrashed, err)
			assert.ErrorContains(t, err, reason)
		})
	}
}

// A result that is announced and too long fails its call only.
func TestFramedGiantResult(t *testing.T) {
	pool, _ := startFaulty(t, "framed: a giant result", framed, func(o *Options) { o.MaxAnswer = 100_000 })
	_, err := pool.Execute(t.Context(), task("a", ""))
	require.ErrorContains(t, err, "has 200000 bytes, and Options.MaxAnswer is 100000")
	requireValue(t, "2", pool, task("a", ""))
}

func TestFramedSlowHello(t *testing.T) {
	pool, _ := startFaulty(t, "framed: slow", framed)
	_, err := pool.Execute(t.Context(), task("a", ""))
	require.NoError(t, err)
}

func TestFramedCall(t *testing.T) {
	pool, log := startFaulty(t, "framed: polite", framed)
	assert.JSONEq(t, `{"allowList":{"enabled":true,"tasks":["a"],"events":["e"]}}`, string(pool.List().Discovery()))
	call := &protocol.Call{
		Kind: protocol.KindEvent, ID: "é😀", RequestID: "r-1", ReturnPayload: true, Payload: []byte("{\n \"é\": 1}"),
		Method: "POST", Host: "h:1", Target: "/__runner/event/x?y=1", BasePath: "/__runner", RemoteAddr: "[::1]:8",
		Header:   http.Header{"X-A": {"1", "2"}, "X-Runner-Request-Id": {"forged"}, "X-L": {"\xe9\"\\"}},
		Identity: map[string]string{"name": "é"},
	}
	reply, err := pool.Execute(t.Context(), call)
	require.NoError(t, err)
	var got struct {
		Message map[string]any
		Payload string
	}
	require.NoError(t, json.Unmarshal(reply.Value, &got))
	assert.Equal(t, "{\n \"é\": 1}", got.Payload)
	headers := strings.Split(fmt.Sprint(got.Message["headers"]), "\n")
	byName := map[string]string{}
	for i := 0; i < len(headers); i += 2 {
		byName[headers[i]] = headers[i+1]
	}
	assert.Equal(t, map[string]string{"host": "h:1", "x-a": "1, 2", "x-l": "é\"\\", "x-runner-request-id": "r-1"}, byName)
	delete(got.Message, "headers")
	assert.Equal(t, map[string]any{
		"type": "event", "id": 1.0, "eventId": "é😀", "returnPayload": true, "requestId": "r-1", "method": "POST",
		"url": "/__runner/event/x?y=1", "basePath": "/__runner", "remote": "[::1]:8", "identity": map[string]any{"name": "é"}, "n": 11.0,
	}, got.Message)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "message=careful") }, 10*time.Second, time.Millisecond)
}

func TestFramedAuthenticate(t *testing.T) {
	pool, _ := startFaulty(t, "framed: polite", framed)
	r := httptest.NewRequest(http.MethodPost, "/x?y=1", nil)
	_, err := pool.Authenticate(r)
	requireCode(t, protocol.CodeUnauthorized, err)
	r.Header.Set("authorization", "good")
	identity, err := pool.Authenticate(r)
	require.NoError(t, err)
	value, err := json.Marshal(identity)
	require.NoError(t, err)
	assert.JSONEq(t, `{"url":"/x?y=1"}`, string(value))

	plain := startNode(t)
	_, err = plain.Authenticate(r)
	requireCode(t, protocol.CodeAuthNotConfigured, err)
}

func TestFramedCancel(t *testing.T) {
	pool, log := startFaulty(t, "framed: polite", framed)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := pool.Execute(ctx, task("never", ""))
		failed <- err
	}()
	require.Eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 1 }, 10*time.Second, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), `line="cancelled 1"`) }, 10*time.Second, time.Millisecond)
	_, err := pool.Execute(t.Context(), task("a", "1"))
	require.NoError(t, err, "the late answer was dropped")
}
