package differential_test

import (
	"maps"
	"reflect"
	"testing"

	tunnel "github.com/bluelibs/go-tunnel"
	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/tests/testapp"
)

// config returns what exposure.js takes.
func (g serverPair) config() map[string]any {
	config := map[string]any{"app": g.app}
	if g.app == nil {
		config["app"] = map[string]any{}
	}
	maps.Copy(config, g.runner)
	return config
}

// serve starts our servers and returns their addresses, by executor. Full has the
// application of fullApp.
func (g serverPair) serve(t *testing.T, execs map[string]tunnel.Executor, full *ipc.Pool) map[string]string {
	addresses := make(map[string]string)
	for name, exec := range execs {
		switch {
		case name == "runner":
			addresses[name] = g.serveRunner(t, exec.(*ipc.Pool), full)
		case g.runnerOnly, g.movesBytes && name == "ipc", !g.movesBytes && name == "module":
		case g.closed:
			// ExecutorFunc hides that it is a Lister.
			addresses[name] = testapp.ServeAsIs(t, tunnel.ExecutorFunc(exec.Execute), g.ours)
		default:
			addresses[name] = testapp.Serve(t, exec, g.ours)
		}
	}
	return addresses
}

// serveRunner serves a Runner application, whose own lists say what may be called.
func (g serverPair) serveRunner(t *testing.T, pool, full *ipc.Pool) string {
	switch {
	case reflect.DeepEqual(g.app, testapp.FullApp):
		pool = full
	case g.app != nil:
		pool = testapp.RunnerApp(t, g.app)
	}
	cfg := g.ours
	if cfg.Tokens == nil && !cfg.AllowAnonymous && !g.validators {
		cfg.Tokens = []string{"secret"}
	}
	if g.validators {
		cfg.Authenticate = pool.Authenticate
	}
	return testapp.ServeAsIs(t, pool, cfg)
}
