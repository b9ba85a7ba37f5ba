package tunnel_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The test application exists four times, with the same tasks and events: in Go
// (goApp), as a hand-written worker (testdata/runner/worker.js), as a task module
// (testdata/runner/tasks.mjs) and as a Runner application (testdata/runner/app.js).
var appAllowList = protocol.NewAllowList(
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

var errSecret = errors.New("secret detail of the database")

var errQuota = &protocol.Error{ID: "app.errors.quota", Message: "Quota of 3 exceeded", Data: map[string]any{"limit": 3}}

func echo(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
	return &protocol.Reply{Value: call.Payload}, nil
}

// goApp is the test application in Go.
func goApp() *standalone.Registry {
	type sum struct{ A, B float64 }
	type named struct {
		Name string `json:"name"`
	}
	r := standalone.NewRegistry()
	standalone.Task(r, "app.tasks.add", func(_ context.Context, in sum) (float64, error) { return in.A + in.B, nil })
	standalone.Task(r, "app.tasks.greet", func(_ context.Context, in named) (string, error) {
		return "Hello, " + in.Name + "!", nil
	})
	r.HandleTask("app.tasks.echo", echo)
	standalone.Task(r, "app.tasks.fail", func(context.Context, any) (any, error) { return nil, errSecret })
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
	standalone.Task(r, "app.tasks.quota", func(context.Context, any) (any, error) { return nil, errQuota })
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

	kitTasks(r)
	for _, id := range []string{"app.events.notify", "app.events.log", "app.events.bare"} {
		standalone.Event(r, id, func(context.Context, any) error { return nil })
	}
	standalone.Event(r, "app.events.fail", func(context.Context, any) error { return errSecret })
	standalone.Event(r, "app.events.quota", func(context.Context, any) error { return errQuota })
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

// nodeApp is the test application as a worker on the plain wire.
func nodeApp(t testing.TB, change ...func(*ipc.Options)) *ipc.Pool {
	opts := ipc.Options{
		Command: []string{"node", "testdata/runner/worker.js"},
		Plain:   true,
	}
	for _, f := range change {
		f(&opts)
	}
	return startWorker(t, opts)
}

// moduleApp is the test application as a task module on the framed wire.
func moduleApp(t testing.TB) *ipc.Pool {
	return startWorker(t, worker(t, "testdata/runner/tasks.mjs"))
}

// runnerApp is the test application as a Runner application on the framed wire. The
// options are those of createApp in app.js.
func runnerApp(t testing.TB, options map[string]any) *ipc.Pool {
	npmInstall(t)
	text, err := json.Marshal(options)
	require.NoError(t, err)
	opts := worker(t, "testdata/runner/served.js")
	opts.Env = append(os.Environ(), "APP="+string(text))
	opts.StartTimeout = startBound // the machine may be busy with as many Runners as there are tests
	return startWorker(t, opts)
}

func startWorker(t testing.TB, opts ipc.Options) *ipc.Pool {
	if opts.Logger == nil {
		opts.Logger = quiet
	}
	pool, err := ipc.Start(context.Background(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return pool
}

// executors are the implementations that must look the same from outside.
var executors = map[string]func(testing.TB) tunnel.Executor{
	"standalone": func(testing.TB) tunnel.Executor { return goApp() },
	"ipc":        func(t testing.TB) tunnel.Executor { return nodeApp(t) },
	"module":     func(t testing.TB) tunnel.Executor { return moduleApp(t) },
	"runner":     func(t testing.TB) tunnel.Executor { return runnerApp(t, map[string]any{}) },
}

var quiet = slog.New(slog.DiscardHandler)

// serve starts a server for exec and returns its address, without the base path. The
// token is "secret" and the allow-list the application's unless cfg says otherwise.
func serve(t testing.TB, exec tunnel.Executor, cfg tunnel.Config) string {
	if cfg.Tokens == nil && cfg.Authenticate == nil && !cfg.AllowAnonymous {
		cfg.Tokens = []string{"secret"}
	}
	if cfg.AllowList == nil {
		cfg.AllowList = appAllowList
	}
	if cfg.Logger == nil {
		cfg.Logger = quiet
	}
	handler := tunnel.New(exec, cfg)
	server := httptest.NewUnstartedServer(handler)
	perhapsInFront(t, server, handler)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}
