package tunnel_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	tunnel "github.com/bluelibs/go-tunnel"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/protocoltest"
)

// conforming are the executors that the kit is for. Its rules about values are those of
// executors that pass JSON on as it came; a Runner application decodes and encodes it by
// its serializer, and TestDifferential compares that with Runner itself.
var conforming = []string{"standalone", "ipc", "module"}

// knowsParallel are the executors that know which events are parallel.
var knowsParallel = map[string]bool{"standalone": true}

func newConforming(t *testing.T, name string) tunnel.Executor {
	exec := executors[name](t)
	if name == "module" {
		return moduleGaps{exec}
	}
	return exec
}

func TestConformance(t *testing.T) {
	for _, name := range conforming {
		for _, version := range []string{"HTTP1", "HTTP2"} {
			t.Run(name+"/"+version, func(t *testing.T) {
				exec := newConforming(t, name) // one for all cases: none of them leaves anything behind
				protocoltest.Run(t, func(t *testing.T, s protocoltest.Setup) protocoltest.Target {
					target := startConformance(t, exec, s, version == "HTTP2")
					target.ParallelEvents = knowsParallel[name]
					return target
				})
			})
		}
	}
}

func TestExecutorContract(t *testing.T) {
	for _, name := range conforming {
		t.Run(name, func(t *testing.T) {
			protocoltest.RunExecutor(t, func(t *testing.T) protocoltest.Executor { return newConforming(t, name) })
		})
	}
}

// moduleGaps adds what a task module has no word for: that it was cancelled, and that a
// typed error has no status. TestModuleGaps fails when that is no longer so.
type moduleGaps struct{ tunnel.Executor }

func (m moduleGaps) Execute(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
	cancelled := call.ID == "app.tasks.cancelled"
	reply, err := m.Executor.Execute(ctx, call)
	var public *protocol.Error
	if errors.As(err, &public) {
		switch {
		case cancelled:
			return nil, &protocol.Error{Code: protocol.CodeRequestAborted}
		case public.ID != "" && public.HTTPCode == 500:
			public.HTTPCode = 0
		}
	}
	return reply, err
}

func TestModuleGaps(t *testing.T) {
	module := moduleApp(t)
	for _, id := range []string{"app.tasks.cancelled", "app.tasks.quota"} {
		_, err := module.Execute(t.Context(), &protocol.Call{Kind: protocol.KindTask, ID: id})
		var public *protocol.Error
		require.ErrorAs(t, err, &public, id)
		assert.Equal(t, protocol.CodeInternal, public.Code, id)
		assert.Equal(t, 500, public.HTTPCode, id)
	}
}

func startConformance(t *testing.T, exec tunnel.Executor, s protocoltest.Setup, http2 bool) protocoltest.Target {
	if s.Closed {
		exec = tunnel.ExecutorFunc(exec.Execute) // so that it lists nothing
	}
	server := httptest.NewUnstartedServer(tunnel.New(exec, tunnel.Config{
		BasePath:          s.BasePath,
		Tokens:            s.Tokens,
		TokenHeader:       s.TokenHeader,
		Authenticate:      s.Authenticate,
		AllowAnonymous:    s.AllowAnonymous,
		AllowList:         s.AllowList,
		DisableDiscovery:  s.DisableDiscovery,
		CORS:              s.CORS,
		Limits:            s.Limits,
		NumericErrorCodes: s.NumericErrorCodes,
		Logger:            quiet,
	}))
	if http2 {
		server.EnableHTTP2 = true
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return protocoltest.Target{URL: server.URL, Client: server.Client(), HTTP2: http2}
}
