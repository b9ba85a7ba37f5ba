package tunnel_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
)

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
	npmInstall(t)
	modules, err := filepath.Abs("testdata/runner/node_modules")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "app.js")
	require.NoError(t, os.WriteFile(file, []byte(listeningApp), 0o600))
	for door, said := range map[string]bool{"exposure": true, "server": true, "": false} {
		var log lockedLog
		opts := ipc.Node(file)
		opts.Env = append(os.Environ(), "NODE_PATH="+modules, "DOOR="+door)
		opts.Logger, opts.StartTimeout = slog.New(slog.NewJSONHandler(&log, nil)), startBound
		pool := startWorker(t, opts)
		_, err := pool.Execute(t.Context(), &protocol.Call{ID: "add"}) // what the worker says at start comes before
		require.NoError(t, err)
		logged := fmt.Sprint(log.of(""))
		assert.Contains(t, logged, "the tasks that an AllowList may name: add")
		assert.Equal(t, said, strings.Contains(logged, "the application listens by itself too"), "%q: %s", door, logged)
	}
}
