// Package front_test tests a Handler with a Front before its server.
package front_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/http1"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

// hang is how long a test waits for what comes at once unless something is wrong.
const hang = 30 * time.Second

const addBody = `{"input":{"a":5,"b":3}}`

// callRaw sends requests as they are and returns all that is answered to them, without dates.
func callRaw(t *testing.T, address string, requests ...string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(hang)))
	in := bufio.NewReader(conn)
	var all bytes.Buffer
	for _, request := range requests {
		_, err = io.WriteString(conn, request)
		require.NoError(t, err)
		res, err := http.ReadResponse(bufio.NewReader(io.TeeReader(oneByte{in}, &all)), nil)
		require.NoError(t, err)
		_, err = io.ReadAll(res.Body)
		require.NoError(t, err)
	}
	return dateLine.ReplaceAllString(all.String(), "\r\nDate: now\r\n")
}

// oneByte keeps a bufio.Reader from reading the next answer too.
type oneByte struct{ io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.Reader.Read(p[:1]) }

var dateLine = regexp.MustCompile(`\r\nDate: [^\r]* GMT\r\n`)

func frontRequest(path, header, body string) string {
	return fmt.Sprintf("POST /__runner%s HTTP/1.1\r\nHost: x\r\nx-runner-request-id: fixed\r\n%sContent-Length: %d\r\n\r\n%s", path, header, len(body), body)
}

// Answers are the same with and without a Front, byte for byte, also to the requests that it
// hands over, and to the next request on the connection.
func TestFrontAnswersTheSame(t *testing.T) {
	const token = "x-runner-token: secret\r\n"
	plain := map[string]string{
		"task":               frontRequest("/task/app.tasks.add", token, addBody),
		"JSON":               frontRequest("/task/app.tasks.add", token+"Content-Type: application/json; charset=utf-8\r\n", addBody),
		"other type":         frontRequest("/task/app.tasks.add", token+"Content-Type: text/plain\r\n", addBody),
		"odd id":             frontRequest("/task/app%2Ftasks%2Fodd%20id%25", token, "{}"),
		"void":               frontRequest("/task/app.tasks.nothing", token, ""),
		"large":              frontRequest("/task/app.tasks.echo", token, `{"input":"`+strings.Repeat("x", 50000)+`"}`),
		"event":              frontRequest("/event/app.events.notify", token, "{}"),
		"event, payload":     frontRequest("/event/app.events.rename", token, `{"payload":{"name":"x"},"returnPayload":true}`),
		"parallel":           frontRequest("/event/app.events.parallel", token, `{"returnPayload":true}`),
		"private error":      frontRequest("/task/app.tasks.fail", token, "{}"),
		"typed error":        frontRequest("/task/app.tasks.quota", token, "{}"),
		"status of an error": frontRequest("/task/app.tasks.teapot", token, "{}"),
		"499":                frontRequest("/task/app.tasks.cancelled", token, "{}"),
		"no value":           frontRequest("/task/app.tasks.function", token, "{}"),
		"no token":           frontRequest("/task/app.tasks.add", "", addBody),
		"wrong token":        frontRequest("/task/app.tasks.add", "x-runner-token: secre\r\n", addBody),
		"hidden":             frontRequest("/task/app.tasks.hidden", token, "{}"),
		"unknown":            frontRequest("/task/x", token, "{}"),
		"no id":              frontRequest("/task/", token, "{}"),
		"slash at the end":   frontRequest("/task/app.tasks.add/", token, addBody),
		"bad JSON":           frontRequest("/task/app.tasks.add", token, "{"),
		"not UTF-8":          frontRequest("/task/app.tasks.add", token, "\"\xff\""),
		"over MaxBody":       frontRequest("/task/app.tasks.echo", token, `"`+strings.Repeat("x", 60000)+`"`),
		"origin":             frontRequest("/task/app.tasks.add", token+"Origin: http://localhost\r\n", addBody),
		"stream":             frontRequest("/task/kit.stream", token, `{"input":{"size":10}}`),
		"long stream":        frontRequest("/task/kit.stream", token, `{"input":{"size":2000}}`),
		"status and fields":  frontRequest("/task/kit.stream", token, `{"input":{"size":3,"status":418,"contentType":"text/x","headers":{"x-a":" b ","vary":"X","content-length":"3"}}}`),
		"204":                frontRequest("/task/kit.stream", token, `{"input":{"status":204}}`),
		"bytes expected":     frontRequest("/task/kit.body", token, "{}"),
	}
	others := map[string]string{
		"preflight":  "OPTIONS /__runner/task/x HTTP/1.1\r\nHost: x\r\nx-runner-request-id: fixed\r\n\r\n",
		"discovery":  "GET /__runner/discovery HTTP/1.1\r\nHost: x\r\nx-runner-request-id: fixed\r\n" + token + "\r\n",
		"octets":     frontRequest("/task/kit.body", token+"Content-Type: application/octet-stream\r\n", "abc"),
		"compressed": frontRequest("/task/app.tasks.add", token+"Content-Encoding: identity\r\n", addBody),
		"chunked":    strings.Replace(frontRequest("/task/app.tasks.add", token, "2\r\n{}\r\n0\r\n\r\n"), "Content-Length: 12", "Transfer-Encoding: chunked", 1),
		"query":      frontRequest("/task/app.tasks.add?x=y", token, addBody),
		"dots":       frontRequest("/x/../task/app.tasks.add", token, addBody),
		"elsewhere":  strings.Replace(frontRequest("/task/app.tasks.add", token, addBody), "/__runner", "/other", 1),
	}
	handler := tunnel.New(testapp.GoApp(), tunnel.Config{
		Tokens: []string{"secret"}, AllowList: testapp.AllowList, Logger: testapp.Quiet, Limits: protocol.Limits{MaxBody: 55000},
		CORS: &protocol.CORS{Origins: []string{"http://localhost"}, Credentials: true, ExposedHeaders: []string{"x-a"}},
	})
	without := httptest.NewServer(handler)
	t.Cleanup(without.Close)
	with := httptest.NewUnstartedServer(handler)
	testapp.InFront(t, with, handler)
	with.Start()
	t.Cleanup(with.Close)
	front := with.Listener.(*http1.Front)
	next := plain["task"]
	for kind, requests := range map[string]map[string]string{"plain": plain, "handed over": others} {
		for name, request := range requests {
			t.Run(kind+"/"+name, func(t *testing.T) {
				before := front.Stats()
				assert.Equal(t, callRaw(t, without.URL, next, request, next), callRaw(t, with.URL, next, request, next))
				after := front.Stats()
				if kind == "plain" {
					assert.Equal(t, before.HandedOver, after.HandedOver)
				} else {
					assert.Equal(t, before.HandedOver+1, after.HandedOver)
				}
			})
		}
	}
}

// A worker that ends ends the calls that it has, and no connection.
func TestFrontOfAWorkerThatCrashes(t *testing.T) {
	address, pool := frontOfModule(t, `
export const tasks = { crash: () => process.exit(3), wait: () => new Promise(() => setInterval(() => {}, 1000)), one: () => 1 };`, tunnel.Config{}, func(*ipc.Options) {})
	for range 3 {
		var waiting sync.WaitGroup
		for range 8 {
			waiting.Go(func() {
				answers := callRaw(t, address, frontCall("wait"), frontCall("one"))
				assert.Contains(t, answers, "HTTP/1.1 502 ")
				assert.Contains(t, answers, `"result":1`)
			})
		}
		require.Eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 8 }, hang, time.Millisecond)
		answers := callRaw(t, address, frontCall("crash"), frontCall("one"))
		assert.Contains(t, answers, "HTTP/1.1 502 ")
		assert.Contains(t, answers, `"result":1`)
		waiting.Wait()
	}
}

// frontOfModule serves a module behind a Front.
func frontOfModule(t *testing.T, module string, cfg tunnel.Config, change func(*ipc.Options)) (address string, pool *ipc.Pool) {
	file := filepath.Join(t.TempDir(), "module.mjs")
	require.NoError(t, os.WriteFile(file, []byte(module), 0o600))
	opts := ipc.Node(file)
	change(&opts)
	pool = testapp.StartWorker(t, opts)
	cfg.Tokens, cfg.Logger = []string{"secret"}, testapp.Quiet
	handler := tunnel.New(pool, cfg)
	server := httptest.NewUnstartedServer(handler)
	testapp.InFront(t, server, handler)
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(func() { assert.Zero(t, server.Listener.(*http1.Front).Stats().HandedOver) })
	return server.URL, pool
}

func frontCall(task string) string {
	return frontRequest("/task/"+task, "x-runner-token: secret\r\n", "{}")
}

// No call fails, and no connection ends, while workers are replaced.
func TestFrontDuringARestart(t *testing.T) {
	address, pool := frontOfModule(t, `export const tasks = { one: () => 1 };`, tunnel.Config{}, func(*ipc.Options) {})
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				answers := callRaw(t, address, slices.Repeat([]string{frontCall("one")}, 50)...)
				assert.Equal(t, 50, strings.Count(answers, `{"ok":true,"result":1}`))
			}
		})
	}
	for range 3 {
		assert.NoError(t, pool.Restart(context.Background()))
	}
	close(stop)
	callers.Wait()
}

// What refuses calls, or ends them, is the same, and the next call on the connection is served.
func TestFrontWhenCallsFail(t *testing.T) {
	t.Run("TaskTimeout", func(t *testing.T) {
		address, _ := frontOfModule(t, `export const tasks = { one: () => 1, wait: () => new Promise(() => {}) };`, tunnel.Config{}, func(o *ipc.Options) {
			o.TaskTimeout = 50 * time.Millisecond
		})
		answers := callRaw(t, address, frontCall("wait"), frontCall("one"))
		assert.Contains(t, answers, "HTTP/1.1 504 Gateway Timeout\r\n")
		assert.Contains(t, answers, `"code":"TASK_TIMEOUT"`)
		assert.Contains(t, answers, `{"ok":true,"result":1}`)
	})
	t.Run("queue", func(t *testing.T) {
		address, pool := frontOfModule(t, `export const tasks = { one: () => 1, wait: (_, { signal }) => new Promise((_, no) => signal.addEventListener("abort", () => no(signal.reason))) };`, tunnel.Config{}, func(o *ipc.Options) {
			o.Concurrency, o.MaxQueue = 1, -1
		})
		busy, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
		require.NoError(t, err)
		_, err = io.WriteString(busy, frontCall("wait"))
		require.NoError(t, err)
		require.Eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 1 }, hang, time.Millisecond)
		answers := callRaw(t, address, frontCall("one"))
		assert.Contains(t, answers, "HTTP/1.1 503 Service Unavailable\r\n")
		assert.Contains(t, answers, "\r\nRetry-After: ")
		require.NoError(t, busy.Close()) // so the call ends, and there is room again
		require.Eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 0 }, hang, time.Millisecond)
		assert.Contains(t, callRaw(t, address, frontCall("one")), `{"ok":true,"result":1}`)
	})
	t.Run("panic", func(t *testing.T) {
		address, _ := frontOfModule(t, `export const tasks = { one: () => 1, panics: () => 1 };`, tunnel.Config{Middleware: []tunnel.Middleware{tunnel.Check(func(_ context.Context, call *protocol.Call) error {
			if call.ID == "panics" {
				panic("in a middleware")
			}
			return nil
		})}}, func(*ipc.Options) {})
		answers := callRaw(t, address, frontCall("panics"), frontCall("one"))
		assert.Contains(t, answers, "HTTP/1.1 500 Internal Server Error\r\n")
		assert.Contains(t, answers, `{"ok":true,"result":1}`)
	})
}
