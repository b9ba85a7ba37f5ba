// Package testapp is the test application of this repository, in the four forms that
// must look the same from outside, and serves it. It is for the tests here alone.
package testapp

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"
	"github.com/bluelibs/go-tunnel/tests/internal/runner"

	tunnel "github.com/bluelibs/go-tunnel"
)

// AllowList is that of the application. It exists four times, with the same tasks and
// events: in Go (GoApp), as a hand-written worker (testdata/runner/worker.js), as a task
// module (testdata/runner/tasks.mjs) and as a Runner application (testdata/runner/app.js).
var AllowList = protocol.NewAllowList(
	[]string{
		"app.tasks.add", "app.tasks.greet", "app.tasks.echo", "app.tasks.fail", "app.tasks.nothing", "app.tasks.sleep",
		"app.tasks.quota", "app.tasks.teapot", "app.tasks.coded", "app.tasks.cancelled", "app.tasks.function",
		"app.tasks.requestId", "app/tasks/odd id%", "kit.upload", "kit.body", "kit.duplex", "kit.stream",
	},
	[]string{
		"app.events.notify", "app.events.log", "app.events.fail", "app.events.quota", "app.events.rename",
		"app.events.parallel", "app.events.bare",
	},
)

// ErrSecret is what tasks fail with that fail: nobody may learn of it.
var ErrSecret = errors.New("secret detail of the database")

// ErrQuota is an error of the application that everybody may know.
var ErrQuota = &protocol.Error{ID: "app.errors.quota", Message: "Quota of 3 exceeded", Data: map[string]any{"limit": 3}}

// Echo returns its input.
func Echo(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
	return &protocol.Reply{Value: call.Payload}, nil
}

// GoApp is the test application in Go.
func GoApp() *standalone.Registry {
	type sum struct{ A, B float64 }
	type named struct {
		Name string `json:"name"`
	}
	r := standalone.NewRegistry()
	standalone.Task(r, "app.tasks.add", func(_ context.Context, in sum) (float64, error) { return in.A + in.B, nil })
	standalone.Task(r, "app.tasks.greet", func(_ context.Context, in named) (string, error) {
		return "Hello, " + in.Name + "!", nil
	})
	r.HandleTask("app.tasks.echo", Echo)
	standalone.Task(r, "app.tasks.fail", func(context.Context, any) (any, error) { return nil, ErrSecret })
	r.HandleTask("app.tasks.nothing", func(context.Context, *protocol.Call) (*protocol.Reply, error) {
		return &protocol.Reply{}, nil
	})
	standalone.Task(r, "app.tasks.sleep", func(ctx context.Context, in struct{ MS int }) (int, error) {
		select {
		case <-time.After(time.Duration(in.MS) * time.Millisecond):
			return in.MS, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	})
	standalone.Task(r, "app.tasks.quota", func(context.Context, any) (any, error) { return nil, ErrQuota })
	standalone.Task(r, "app.tasks.teapot", func(context.Context, any) (any, error) {
		return nil, &protocol.Error{ID: "app.errors.teapot", Message: "I am a blue pot", HTTPCode: 418, Data: map[string]any{"pot": "blue"}}
	})
	standalone.Task(r, "app.tasks.coded", func(_ context.Context, in struct{ HTTPCode any }) (any, error) {
		code, _ := in.HTTPCode.(float64)
		e := &protocol.Error{ID: "app.errors.coded", Data: map[string]any{"httpCode": in.HTTPCode}}
		text, err := json.Marshal(in.HTTPCode)
		e.Message = "Coded " + strings.Trim(string(text), `"`)
		if code == float64(int(code)) {
			e.HTTPCode = int(code)
		}
		return nil, errors.Join(e, err)
	})
	standalone.Task(r, "app.tasks.cancelled", func(context.Context, any) (any, error) {
		return nil, &protocol.Error{Code: protocol.CodeRequestAborted}
	})
	standalone.Task(r, "app.tasks.function", func(context.Context, any) (any, error) {
		return map[string]any{"fn": func() {}}, nil // nothing can serialise a function
	})
	standalone.Task(r, "app.tasks.requestId", func(ctx context.Context, _ any) (string, error) {
		return standalone.CallFrom(ctx).RequestID, nil
	})
	standalone.Task(r, "app/tasks/odd id%", func(context.Context, any) (string, error) { return "odd", nil })
	standalone.Task(r, "app.tasks.hidden", func(context.Context, any) (string, error) { return "hidden", nil })

	KitTasks(r)
	for _, id := range []string{"app.events.notify", "app.events.log", "app.events.bare"} {
		standalone.Event(r, id, func(context.Context, any) error { return nil })
	}
	standalone.Event(r, "app.events.fail", func(context.Context, any) error { return ErrSecret })
	standalone.Event(r, "app.events.quota", func(context.Context, any) error { return ErrQuota })
	r.HandleEvent("app.events.rename", func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		var payload named
		if err := json.Unmarshal(call.Payload, &payload); err != nil {
			return nil, err
		}
		payload.Name = strings.ToUpper(payload.Name)
		value, err := json.Marshal(payload)
		return &protocol.Reply{Value: value}, err
	})
	r.HandleEvent("app.events.parallel", func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		if call.ReturnPayload {
			return nil, &protocol.Error{
				Code:    protocol.CodeParallelEventReturn,
				Message: "Event " + call.ID + " is marked parallel; returning a payload is not supported.",
			}
		}
		return &protocol.Reply{}, nil
	})
	return r
}

// worker returns how to run a module: by Node.js, or what make runtimes names.
func worker(t testing.TB, file string) ipc.Options {
	t.Helper()
	switch name := os.Getenv("WORKER_RUNTIME"); name {
	case "", "node":
		return ipc.Node(file)
	case "bun":
		return ipc.Bun(file)
	case "deno":
		return ipc.Deno(file)
	default:
		t.Fatalf("WORKER_RUNTIME is %q", name)
		return ipc.Options{}
	}
}

// NodeApp is the test application as a worker on the plain wire.
func NodeApp(t testing.TB, change ...func(*ipc.Options)) *ipc.Pool {
	opts := ipc.Options{
		Command: []string{"node", filepath.Join(runner.Dir, "worker.js")},
		Wire:    ipc.PlainWire,
	}
	for _, f := range change {
		f(&opts)
	}
	return StartWorker(t, opts)
}

// ModuleApp is the test application as a task module on the framed wire.
func ModuleApp(t testing.TB) *ipc.Pool {
	return StartWorker(t, worker(t, filepath.Join(runner.Dir, "tasks.mjs")))
}

// RunnerApp is the test application as a Runner application on the framed wire. The
// options are those of createApp in app.js.
func RunnerApp(t testing.TB, options map[string]any) *ipc.Pool {
	runner.Install(t)
	text, err := json.Marshal(options)
	require.NoError(t, err)
	opts := worker(t, filepath.Join(runner.Dir, "served.js"))
	opts.Env = append(os.Environ(), "APP="+string(text))
	opts.StartTimeout = runner.StartBound // the machine may be busy with as many Runners as there are tests
	return StartWorker(t, opts)
}

// StartWorker starts a pool that ends with the test.
func StartWorker(t testing.TB, opts ipc.Options) *ipc.Pool {
	if opts.Logger == nil {
		opts.Logger = Quiet
	}
	pool, err := ipc.Start(context.Background(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return pool
}

// Executors are the implementations that must look the same from outside.
var Executors = map[string]func(testing.TB) tunnel.Executor{
	"standalone": func(testing.TB) tunnel.Executor { return GoApp() },
	"ipc":        func(t testing.TB) tunnel.Executor { return NodeApp(t) },
	"module":     func(t testing.TB) tunnel.Executor { return ModuleApp(t) },
	"runner":     func(t testing.TB) tunnel.Executor { return RunnerApp(t, map[string]any{}) },
}

// Quiet logs nothing.
var Quiet = slog.New(slog.DiscardHandler)

// Serve starts a server for exec and returns its address, without the base path. The
// token is "secret" and the allow-list the application's unless cfg says otherwise.
func Serve(t testing.TB, exec tunnel.Executor, cfg tunnel.Config) string {
	if cfg.Tokens == nil && cfg.Authenticate == nil && !cfg.AllowAnonymous {
		cfg.Tokens = []string{"secret"}
	}
	if cfg.AllowList == nil {
		cfg.AllowList = AllowList
	}
	if cfg.Logger == nil {
		cfg.Logger = Quiet
	}
	handler := tunnel.New(exec, cfg)
	server := httptest.NewUnstartedServer(handler)
	PerhapsInFront(t, server, handler)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// FullApp are options of RunnerApp: with what only a Runner application has, which is in
// testdata/runner/full.js.
var FullApp = map[string]any{"full": map[string]any{}}

// StartExposure runs the test application with Runner's own HTTP exposure until the test
// ends, and returns its address without the base path. The config is what exposure.js
// takes.
func StartExposure(t testing.TB, config any) string {
	t.Helper()
	runner.Install(t)
	text, err := json.Marshal(config)
	require.NoError(t, err)
	return runner.StartServer(t, runner.Command(runner.Dir, nil, "exposure.js", string(text)))
}

// ServeAsIs is Serve without its defaults.
func ServeAsIs(t *testing.T, exec tunnel.Executor, cfg tunnel.Config) string {
	cfg.Logger = Quiet
	handler := tunnel.New(exec, cfg)
	server := httptest.NewUnstartedServer(handler)
	PerhapsInFront(t, server, handler)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// Send posts to a handler.
func Send(t testing.TB, handler http.Handler, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/__runner"+path, strings.NewReader(body))
	r.Header.Set("X-Runner-Token", "secret")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

// AddBody calls app.tasks.add, which answers AddAnswer.
const AddBody, AddAnswer = `{"input":{"a":5,"b":3}}`, `{"ok":true,"result":8}`

// WriteModule writes a task module and returns its name.
func WriteModule(t *testing.T, source string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tasks.mjs")
	require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
	return file
}
