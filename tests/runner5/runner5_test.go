// Package runner5_test has an application of Runner 5.5.0 as a worker.
package runner5_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/tests/internal/lines"
	"github.com/bluelibs/go-tunnel/tests/internal/runner"
	"github.com/bluelibs/go-tunnel/tests/testapp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const listeningApp = `
const { nodeExposure, r, run } = require("@bluelibs/runner");
const { createServer } = require("node:http");

const doors = {
  exposure: nodeExposure.with({ http: { auth: { token: "x" }, listen: { host: "127.0.0.1", port: 0 } } }),
  server: r.resource("server").init(() => new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
  })).build(),
};
const add = r.task("add").run(async () => 1).build();
const door = doors[process.env.DOOR];
const app = r.resource("app").register(door ? [add, door] : [add]).build();
module.exports.runtime = run(app, { logs: { printThreshold: null }, shutdownHooks: false });
`

// An application that listens by itself is told of, whatever listens; one that is closed
// tells its ids.
func TestSecondDoor(t *testing.T) {
	runner.Install(t)
	modules := filepath.Join(runner.Dir, "node_modules")
	file := filepath.Join(t.TempDir(), "app.js")
	require.NoError(t, os.WriteFile(file, []byte(listeningApp), 0o600))
	for door, said := range map[string]bool{"exposure": true, "server": true, "": false} {
		log := lines.New()
		opts := ipc.Node(file)
		opts.Env = append(os.Environ(), "NODE_PATH="+modules, "DOOR="+door)
		opts.Logger, opts.StartTimeout = log.Logger(), runner.StartBound
		pool := testapp.StartWorker(t, opts)
		_, err := pool.Execute(t.Context(), &protocol.Call{ID: "add"}) // what the worker says at start comes before
		require.NoError(t, err)
		logged := log.All()
		assert.Contains(t, logged, "the tasks that an AllowList may name: add")
		assert.Equal(t, said, strings.Contains(logged, "the application listens by itself too"), "%q: %s", door, logged)
	}
}

// A Runner application that serves nothing says so, and what opens it, which its author
// would else learn from the first caller.
func TestNothingCallable(t *testing.T) {
	runner.Install(t)
	log := lines.New()
	opts := ipc.Node(filepath.Join(runner.Dir, "served.js"))
	opts.Env, opts.StartTimeout, opts.Logger = append(os.Environ(), `APP={"noTunnel":true}`), runner.StartBound, log.Logger()
	testapp.StartWorker(t, opts)
	log.Await(t, "exposes nothing: set tunnel.Config.AllowList to protocol.NewAllowList(tasks, events)")
}
