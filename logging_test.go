package tunnel_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	tunnel "github.com/bluelibs/go-tunnel"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/tests/testapp"
)

// logged serves one request and returns the lines that were logged from level on.
func logged(t *testing.T, cfg tunnel.Config, level slog.Level, r *http.Request) []map[string]any {
	t.Helper()
	var log bytes.Buffer
	cfg.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: level}))
	registry := testapp.GoApp()
	registry.HandleTask("streams", func(context.Context, *protocol.Call) (*protocol.Reply, error) {
		return &protocol.Reply{Stream: io.NopCloser(strings.NewReader("piece")), Status: http.StatusAccepted}, nil
	})
	registry.HandleTask("breaks off", func(context.Context, *protocol.Call) (*protocol.Reply, error) {
		return &protocol.Reply{Stream: struct {
			io.Reader
			io.Closer
		}{io.MultiReader(strings.NewReader("piece"), failingReader{}), io.NopCloser(nil)}}, nil
	})
	registry.HandleTask("by a worker", func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		call.Worker = "1/4711"
		return nil, &protocol.Error{Code: protocol.CodeWorkerCrashed}
	})
	registry.HandleTask("panics", func(context.Context, *protocol.Call) (*protocol.Reply, error) { panic("a bug") })
	registry.HandleTask("fails at length", func(context.Context, *protocol.Call) (*protocol.Reply, error) {
		return nil, errors.New(strings.Repeat("x", 1<<20))
	})
	registry.HandleTask("panics at length", func(context.Context, *protocol.Call) (*protocol.Reply, error) {
		panic(strings.Repeat("x", 1<<20))
	})
	registry.HandleTask("is nil", func(context.Context, *protocol.Call) (*protocol.Reply, error) {
		var none *protocol.Error
		return nil, none
	})
	registry.HandleTask("relays", func(context.Context, *protocol.Call) (*protocol.Reply, error) {
		return nil, &protocol.Error{Code: protocol.CodeStream}
	})
	registry.HandleTask("makes a code up", func(context.Context, *protocol.Call) (*protocol.Reply, error) {
		return nil, &protocol.Error{Code: "TEAPOT"}
	})
	for id, code := range map[string]protocol.Code{"is overloaded": protocol.CodeOverloaded, "has no worker": protocol.CodeWorkerUnavailable} {
		registry.HandleTask(id, func(context.Context, *protocol.Call) (*protocol.Reply, error) {
			return nil, &protocol.Error{Code: code}
		})
	}
	registry.HandleTask("returns neither", func(context.Context, *protocol.Call) (*protocol.Reply, error) { return nil, nil })
	cfg.AllowList = registry.List()
	handler := tunnel.New(registry, cfg)
	func() {
		defer func() {
			if v := recover(); v != nil {
				assert.Equal(t, http.ErrAbortHandler, v)
			}
		}()
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}()
	assert.NotContains(t, log.String(), "s3cret")
	assert.NotContains(t, log.String(), "b0dy")
	var lines []map[string]any
	for line := range strings.Lines(log.String()) {
		fields := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(line), &fields), line)
		lines = append(lines, fields)
	}
	return lines
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestEachRequestIsOneLine(t *testing.T) {
	const call, other = "requestId kind id duration", "requestId method path"
	for name, c := range map[string]struct {
		method, path, body string
		level, message     string
		fields             string // that must be there
		want               map[string]any
	}{
		"a task":              {"POST", "/task/app.tasks.add", `{"input":{"a":1,"b":2,"c":"b0dy"}}`, "DEBUG", "tunnel: request served", call, map[string]any{"kind": "task", "id": "app.tasks.add", "status": 200.0}},
		"an event":            {"POST", "/event/app.events.notify", `{"payload":"b0dy"}`, "DEBUG", "tunnel: request served", call, map[string]any{"kind": "event", "id": "app.events.notify", "status": 200.0}},
		"discovery":           {"GET", "/discovery", "", "DEBUG", "tunnel: request served", other, map[string]any{"method": "GET", "status": 200.0}},
		"a stream":            {"POST", "/task/streams", "", "DEBUG", "tunnel: request served", call, map[string]any{"id": "streams", "status": 202.0}},
		"a cut stream":        {"POST", "/task/breaks%20off", "", "WARN", "tunnel: stream cut short", call, map[string]any{"id": "breaks off"}},
		"bad JSON":            {"POST", "/task/app.tasks.add", `{"input":b0dy}`, "DEBUG", "tunnel: request failed", call, map[string]any{"status": 400.0, "code": "INVALID_JSON"}},
		"a failure":           {"POST", "/task/app.tasks.fail", "", "ERROR", "tunnel: request failed", call, map[string]any{"status": 500.0, "code": "INTERNAL_ERROR"}},
		"a dead worker":       {"POST", "/task/by%20a%20worker", "", "ERROR", "tunnel: request failed", call, map[string]any{"status": 502.0, "code": "WORKER_CRASHED", "worker": "1/4711"}},
		"no room":             {"POST", "/task/is%20overloaded", "", "DEBUG", "tunnel: request failed", call, map[string]any{"status": 503.0, "code": "OVERLOADED"}},
		"no worker":           {"POST", "/task/has%20no%20worker", "", "DEBUG", "tunnel: request failed", call, map[string]any{"status": 503.0, "code": "WORKER_UNAVAILABLE"}},
		"a panic":             {"POST", "/task/panics", "", "ERROR", "tunnel: request failed", call, map[string]any{"id": "panics", "status": 500.0, "code": "INTERNAL_ERROR"}},
		"not exposed":         {"POST", "/task/other", "", "WARN", "tunnel: request failed", call, map[string]any{"id": "other", "status": 403.0, "code": "FORBIDDEN", "remote": "192.0.2.1:1234"}},
		"an id out of bounds": {"POST", "/task/" + strings.Repeat("x", 1000), "", "WARN", "tunnel: request failed", call, map[string]any{"id": strings.Repeat("x", 256) + "…"}},
		"not found":           {"POST", "/nowhere", "", "DEBUG", "tunnel: request failed", other, map[string]any{"path": "/__runner/nowhere", "status": 404.0, "code": "NOT_FOUND"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, "/__runner"+c.path, strings.NewReader(c.body))
			r.Header.Set("x-runner-token", "s3cret")
			lines := logged(t, tunnel.Config{Tokens: []string{"s3cret"}}, slog.LevelDebug, r)
			require.Len(t, lines, 1)
			assert.Equal(t, c.level, lines[0]["level"])
			assert.Equal(t, c.message, lines[0]["msg"])
			for _, field := range strings.Fields(c.fields) {
				assert.Contains(t, lines[0], field)
			}
			for field, value := range c.want {
				assert.Equal(t, value, lines[0][field], field)
			}
		})
	}
}

// A Handler that allows nothing says so when it is made: every call would be answered 403.
func TestNothingAllowed(t *testing.T) {
	plain := tunnel.ExecutorFunc(testapp.GoApp().Execute)
	for name, c := range map[string]struct {
		exec tunnel.Executor
		list *protocol.AllowList
		want bool
	}{
		"no Lister":             {exec: plain, want: true},
		"no Lister, but a list": {exec: plain, list: testapp.AllowList},
		"a Lister with a list":  {exec: testapp.GoApp()},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			tunnel.New(c.exec, tunnel.Config{AllowList: c.list, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			assert.Equal(t, c.want, strings.Contains(log.String(), "nothing may be called"), log.String())
		})
	}
}

func TestRefusedTokensAreAudited(t *testing.T) {
	r := httptest.NewRequest("POST", "/__runner/task/app.tasks.add", strings.NewReader("b0dy"))
	r.Header.Set("x-runner-token", "a wrong s3cret")
	r.Header.Set("Authorization", "Bearer s3cret")
	lines := logged(t, tunnel.Config{Tokens: []string{"the right s3cret"}}, slog.LevelInfo, r)
	require.Len(t, lines, 1)
	assert.Equal(t, "WARN", lines[0]["level"])
	assert.Equal(t, "app.tasks.add", lines[0]["id"])
	assert.Equal(t, "UNAUTHORIZED", lines[0]["code"])
	assert.Equal(t, "192.0.2.1:1234", lines[0]["remote"])
}

func TestOnlyFailuresAreLoggedAtInfo(t *testing.T) {
	r := httptest.NewRequest("POST", "/__runner/task/app.tasks.add", strings.NewReader(`{"input":{"a":1,"b":2}}`))
	r.Header.Set("x-runner-token", "s3cret")
	assert.Empty(t, logged(t, tunnel.Config{Tokens: []string{"s3cret"}}, slog.LevelInfo, r))
}

// No attribute of a line is long, whoever chose what is in it.
func TestAttributesAreBounded(t *testing.T) {
	long := strings.Repeat("x", 900<<10)
	post := func(path string) *http.Request {
		r := httptest.NewRequest("POST", path, nil)
		r.Header.Set("x-runner-token", "s3cret")
		return r
	}
	method := post("/__runner/task/app.tasks.add")
	method.Method = long
	for name, r := range map[string]*http.Request{
		"the id of a task that is not exposed": post("/__runner/task/" + long),
		"a path outside":                       post("/" + long),
		"a method":                             method,
		"an error of a task":                   post("/__runner/task/fails%20at%20length"),
		"a panic":                              post("/__runner/task/panics%20at%20length"),
		"an identity":                          post("/__runner/task/fails%20at%20length"),
	} {
		t.Run(name, func(t *testing.T) {
			cfg := tunnel.Config{Tokens: []string{"s3cret"}}
			if name == "an identity" {
				r.Header.Del("x-runner-token")
				cfg.Authenticate = func(*http.Request) (any, error) { return long, nil }
				cfg.LogIdentity = func(identity any) string { return identity.(string) }
			}
			lines := logged(t, cfg, slog.LevelDebug, r)
			require.Len(t, lines, 1)
			for attr, value := range lines[0] {
				if text, ok := value.(string); ok {
					assert.LessOrEqual(t, len(text), 8<<10+len("…"), attr)
				}
			}
		})
	}
}

// What an executor must not do can be found in the log.
func TestMistakesOfExecutorsAreNamed(t *testing.T) {
	for task, want := range map[string]string{
		"is%20nil":              "*protocol.Error that is nil",
		"makes%20a%20code%20up": `unknown code "TEAPOT"`,
		"returns%20neither":     "neither a reply nor an error",
	} {
		r := httptest.NewRequest("POST", "/__runner/task/"+task, nil)
		r.Header.Set("x-runner-token", "s3cret")
		lines := logged(t, tunnel.Config{Tokens: []string{"s3cret"}}, slog.LevelDebug, r)
		require.Len(t, lines, 1)
		assert.Equal(t, "ERROR", lines[0]["level"])
		assert.Equal(t, "INTERNAL_ERROR", lines[0]["code"])
		assert.Contains(t, lines[0]["error"], want)
	}
}

// Who mounts a Handler where it is not reached finds out why.
func TestLineAboutAPathOutside(t *testing.T) {
	lines := logged(t, tunnel.Config{BasePath: "/api/v1/"}, slog.LevelDebug, httptest.NewRequest("POST", "/__runner/task/app.tasks.add", nil))
	require.Len(t, lines, 1)
	assert.Equal(t, 404.0, lines[0]["status"])
	assert.Contains(t, lines[0]["error"], "the path is not below /api/v1")
}

// Identities are shown as the service says, and else not at all.
func TestIdentitiesInTheLog(t *testing.T) {
	type user struct{ Name, Email string }
	for name, show := range map[string]func(any) string{"": nil, "ann": func(identity any) string { return identity.(user).Name }} {
		r := httptest.NewRequest("POST", "/__runner/task/app.tasks.add", strings.NewReader(`{"input":{"a":1,"b":2}}`))
		lines := logged(t, tunnel.Config{
			Authenticate: func(*http.Request) (any, error) { return user{"ann", "s3cret@example.org"}, nil },
			LogIdentity:  show,
		}, slog.LevelDebug, r)
		require.Len(t, lines, 1)
		if name == "" {
			assert.NotContains(t, lines[0], "identity")
			continue
		}
		assert.Equal(t, name, lines[0]["identity"])
	}
	r := httptest.NewRequest("POST", "/__runner/task/app.tasks.add", strings.NewReader(`{"input":{"a":1,"b":2}}`))
	r.Header.Set("x-runner-token", "s3cret")
	lines := logged(t, tunnel.Config{Tokens: []string{"s3cret"}, LogIdentity: func(identity any) string { return identity.(user).Name }}, slog.LevelDebug, r)
	require.Len(t, lines, 1)
	assert.NotContains(t, lines[0], "identity", "of a caller that a token lets in")
}

// A bug that shows when the caller has left is one all the same.
func TestPanicsBehindCallersWhoLeft(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(ctx, "POST", "/__runner/task/panics", nil)
	r.Header.Set("x-runner-token", "s3cret")
	lines := logged(t, tunnel.Config{Tokens: []string{"s3cret"}}, slog.LevelDebug, r)
	require.Len(t, lines, 1)
	assert.Equal(t, "ERROR", lines[0]["level"])
	assert.Equal(t, "REQUEST_ABORTED", lines[0]["code"])
}

// A task may pass on what another server has said: that is an error of this one.
func TestBrokenBodiesOfOtherServers(t *testing.T) {
	r := httptest.NewRequest("POST", "/__runner/task/relays", nil)
	r.Header.Set("x-runner-token", "s3cret")
	lines := logged(t, tunnel.Config{Tokens: []string{"s3cret"}}, slog.LevelDebug, r)
	require.Len(t, lines, 1)
	assert.Equal(t, "ERROR", lines[0]["level"])
}

// Callers cannot trip an alarm by what they send.
func TestBrokenBodiesAreNoErrorsOfTheServer(t *testing.T) {
	const manifest = "--b\r\nContent-Disposition: form-data; name=\"__manifest\"\r\n\r\n" + `{"input":{"$runnerFile":"File","id":"a"}}` + "\r\n--b"
	for body, code := range map[string]string{
		manifest + "--\r\n": "MISSING_FILE_PART",
		manifest + "\r\nContent-Disposition: form-data; name=\"file:a\"; filename=\"a\"\r\n\r\ncut": "STREAM_ERROR",
	} {
		r := httptest.NewRequest("POST", "/__runner/task/app.tasks.echo", strings.NewReader(body))
		r.Header.Set("x-runner-token", "s3cret")
		r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		lines := logged(t, tunnel.Config{Tokens: []string{"s3cret"}}, slog.LevelDebug, r)
		require.Len(t, lines, 1)
		assert.Equal(t, code, lines[0]["code"])
		assert.Equal(t, "DEBUG", lines[0]["level"])
	}
}

// The line about a form without its file says what was there instead.
func TestLogOfAMissingFilePart(t *testing.T) {
	form := strings.ReplaceAll(`--b|Content-Disposition: form-data; name="__manifest"||`+
		`{"input":{"files":{"a":{"$runnerFile":"File","id":"a"}},"read":["a"]}}`+
		`|--b|Content-Disposition: form-data; name="file:a"; filename="doc.txt||content|--b--|`, "|", "\r\n")
	r := httptest.NewRequest(http.MethodPost, "/__runner/task/kit.upload", strings.NewReader(form))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	lines := logged(t, tunnel.Config{AllowAnonymous: true}, slog.LevelDebug, r)
	require.Len(t, lines, 1)
	assert.Equal(t, "MISSING_FILE_PART", lines[0]["code"])
	assert.Contains(t, lines[0]["error"], "parts skipped: 1 (malformed Content-Disposition")
}

// A log that panics behind an answer ends that, and nothing is answered a second time.
func TestLogThatPanicsBehindAnAnswer(t *testing.T) {
	handler := tunnel.New(testapp.GoApp(), tunnel.Config{
		Tokens: []string{"secret"}, AllowList: testapp.AllowList, Logger: slog.New(panicsAtSuccess{slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug})}),
	})
	r := httptest.NewRequest("POST", "/__runner/task/app.tasks.add", strings.NewReader(testapp.AddBody))
	r.Header.Set("x-runner-token", "secret")
	w := httptest.NewRecorder()
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() { handler.ServeHTTP(w, r) }, "nothing else ends an answer of a ResponseRecorder")
	assert.Equal(t, testapp.AddAnswer, w.Body.String())
}

type panicsAtSuccess struct{ slog.Handler }

func (h panicsAtSuccess) Handle(ctx context.Context, record slog.Record) error {
	if record.Message == "tunnel: request served" {
		panic("a bug of the log")
	}
	return h.Handler.Handle(ctx, record)
}
