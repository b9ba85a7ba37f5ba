package runner6_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/tests/internal/lines"
	"github.com/bluelibs/go-tunnel/tests/internal/runner"
	"github.com/bluelibs/go-tunnel/tests/internal/runner6"
	"github.com/bluelibs/go-tunnel/tests/testapp"
)

func withoutLanes6(t testing.TB, env ...string) ipc.Options {
	opts := ipc.Node(filepath.Join(runner6.Dir, "lanes-none.js"))
	opts.Env = append(append(os.Environ(), runner6.Env(t)...), env...)
	opts.StartTimeout, opts.Logger = runner.StartBound, testapp.Quiet
	return opts
}

// An application without lanes has the errors, the signals and the source of Runner 6 all
// the same, on each build of it. What may be called is up to Go.
func TestRunner6WithoutLanes(t *testing.T) {
	for _, build := range []string{"node", "universal"} {
		log := lines.New()
		opts := withoutLanes6(t, "BUILD="+build)
		opts.Logger = log.Logger()
		pool := testapp.StartWorker(t, opts)
		log.Await(t, "the tasks that an AllowList may name: app.tasks.origin, app.tasks.fail")
		assert.Nil(t, pool.List(), build)

		const origin = `"source":{"kind":"runtime","id":"runtime.api"},"signal":true`
		reply, err := pool.Execute(t.Context(), &protocol.Call{ID: "app.tasks.origin", Payload: []byte("{}")})
		require.NoError(t, err, build)
		assert.Contains(t, string(reply.Value), origin, build)

		event := &protocol.Call{Kind: protocol.KindEvent, ID: "app.events.asked", Payload: []byte(`{"a":1}`), ReturnPayload: true}
		reply, err = pool.Execute(t.Context(), event)
		require.NoError(t, err, build)
		assert.Contains(t, string(reply.Value), origin, build)

		_, err = pool.Execute(t.Context(), &protocol.Call{ID: "app.tasks.fail", Payload: []byte(`{"a":1}`)})
		var typed *protocol.Error
		require.ErrorAs(t, err, &typed, build)
		assert.Equal(t, "app.errors.teapot", typed.ID, build)
		assert.Equal(t, 418, typed.HTTPCode, build)
	}
}

// A build that cannot tell what its lanes serve, and which of that needs a token, serves
// nothing.
func TestRunner6LanesOfAnotherBuild(t *testing.T) {
	_, err := ipc.Start(t.Context(), withoutLanes6(t, "BUILD=universal", "LANES=1"))
	assert.ErrorContains(t, err, "@bluelibs/runner/node")
}
