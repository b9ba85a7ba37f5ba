// Package conformance_test holds the executors of this module to the conformance kit.
package conformance_test

import (
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"

	tunnel "github.com/bluelibs/go-tunnel"
	"github.com/bluelibs/go-tunnel/protocol/protocoltest"
	"github.com/bluelibs/go-tunnel/tests/testapp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// conforming are the executors that the kit is for. Its rules about values are those of
// executors that pass JSON on as it came; a Runner application decodes and encodes it by
// its serializer, and TestDifferential compares that with Runner itself.
var conforming = []string{"standalone", "ipc", "module"}

// knowsParallel are the executors that know which events are parallel.
var knowsParallel = map[string]bool{"standalone": true, "module": true}

// takesBytes are the executors that take files and streams.
var takesBytes = map[string]bool{"standalone": true, "module": true, "runner": true}

func TestConformance(t *testing.T) {
	for _, name := range conforming {
		for _, version := range []string{"HTTP1", "HTTP2", "front"} {
			t.Run(name+"/"+version, func(t *testing.T) {
				exec := testapp.Executors[name](t) // one for all cases: none of them leaves anything behind
				protocoltest.Run(t, func(t *testing.T, s protocoltest.Setup) protocoltest.Target {
					target := startConformance(t, exec, s, version)
					target.ParallelEvents = knowsParallel[name]
					target.Bytes = takesBytes[name]
					return target
				})
			})
		}
	}
}

func TestExecutorContract(t *testing.T) {
	for _, name := range conforming {
		t.Run(name, func(t *testing.T) {
			protocoltest.RunExecutor(t, func(t *testing.T) protocoltest.Executor { return testapp.Executors[name](t) })
		})
	}
}

func startConformance(t *testing.T, exec tunnel.Executor, s protocoltest.Setup, version string) protocoltest.Target {
	if s.Closed {
		exec = tunnel.ExecutorFunc(exec.Execute) // so that it lists nothing
	}
	handler := tunnel.New(exec, tunnel.Config{
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
		Logger:            testapp.Quiet,
	})
	server := httptest.NewUnstartedServer(handler)
	switch version {
	case "HTTP2":
		server.EnableHTTP2 = true
		server.StartTLS()
	case "front":
		testapp.InFront(t, server, handler)
		server.Start()
	default:
		server.Start()
	}
	t.Cleanup(server.Close)
	return protocoltest.Target{URL: server.URL, Client: server.Client(), HTTP2: version == "HTTP2"}
}
