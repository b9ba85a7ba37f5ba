// Package runner6_test has an application of Runner 6.4.1 as a worker.
package runner6_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/tests/internal/lines"
	"github.com/bluelibs/go-tunnel/tests/internal/runner"
	"github.com/bluelibs/go-tunnel/tests/internal/runner6"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen6 returns the lines that a worker prints.
func listen6(t *testing.T) (lines.Lines, func(*ipc.Options)) {
	reader, writer := io.Pipe()
	p := lines.New()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for printed := bufio.NewScanner(reader); printed.Scan(); {
			p <- printed.Text()
		}
	}()
	t.Cleanup(func() {
		_ = writer.Close()
		<-done
	})
	return p, func(o *ipc.Options) { o.Output = writer }
}

// Work ends with its caller, in tasks and hooks.
func TestRunner6Signal(t *testing.T) {
	output, listening := listen6(t)
	pool := runner6.App(t, map[string]any{"keys": runner6.NewKeys(t).Options(t)}, listening)
	for name, call := range map[string]*protocol.Call{
		"slow 1": {ID: "app.tasks.slow", Payload: []byte("1")},
		"hook 2": {Kind: protocol.KindEvent, ID: "app.events.slowEvent", Payload: []byte("2")},
	} {
		ctx, leave := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() {
			_, err := pool.Execute(ctx, call)
			result <- err
		}()
		output.Await(t, name+" began")
		leave()
		require.ErrorIs(t, <-result, context.Canceled)
		output.Await(t, name+" was aborted")
	}
	require.Eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 0 }, runner.StartBound, time.Millisecond)
}

// A task that obeys its signal obeys TaskTimeout: its worker stays.
func TestRunner6TaskTimeout(t *testing.T) {
	output, listening := listen6(t)
	pool := runner6.App(t, map[string]any{"keys": runner6.NewKeys(t).Options(t)}, listening, func(o *ipc.Options) {
		o.TaskTimeouts = map[string]time.Duration{"app.tasks.slow": time.Millisecond}
		o.CancelGrace = runner.StartBound
	})
	_, err := pool.Execute(t.Context(), &protocol.Call{ID: "app.tasks.slow", Payload: []byte("1")})
	require.Equal(t, protocol.CodeTaskTimeout, protocol.CodeOf(err))
	output.Await(t, "slow 1 was aborted")
	require.Eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 0 }, runner.StartBound, time.Millisecond)
	assert.Equal(t, 1, pool.Stats().Workers[0].Starts)
}

// Validators learn who asks them.
func TestRunner6Validators(t *testing.T) {
	pool := runner6.App(t, map[string]any{"keys": runner6.NewKeys(t).Options(t), "withValidators": true})
	address := testapp.ServeAsIs(t, pool, tunnel.Config{Authenticate: pool.Authenticate})
	status := func(source string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/__runner/task/app.tasks.add", strings.NewReader(testapp.AddBody))
		require.NoError(t, err)
		req.Header.Set("X-Source", source)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	assert.Equal(t, http.StatusOK, status("resource app.rpcLanes"))
	assert.Equal(t, http.StatusUnauthorized, status("exposure:http"))
}

// What cannot be checked is not served, and the error says what would be lost, and where to
// put the check.
func TestRunner6LanesThatCannotBeChecked(t *testing.T) {
	keys := runner6.NewKeys(t)
	for name, auth := range map[string]map[string]any{
		"a key of another kind": {"mode": "jwt_asymmetric", "algorithm": "RS256", "publicKey": keys.Options(t)["edPublic"]},
		"no key at all":         {"mode": "jwt_asymmetric", "publicKey": "none"},
	} {
		err := runner6.StartError(t, map[string]any{"keys": keys.Options(t), "change": map[string]any{"hmac": auth}})
		for _, said := range []string{"the tokens of the lane hmac cannot be checked here", "app.tasks.hmacTask", "Config.Authenticate"} {
			assert.ErrorContains(t, err, said, name)
		}
	}
}

// An application that listens by itself is told of.
func TestRunner6SecondDoor(t *testing.T) {
	log := lines.New()
	http := map[string]any{"listen": map[string]any{"host": "127.0.0.1", "port": 0}, "auth": map[string]any{"token": "x"}}
	runner6.App(t, map[string]any{"keys": runner6.NewKeys(t).Options(t), "http": http}, func(o *ipc.Options) { o.Logger = log.Logger() })
	log.Await(t, "the application listens by itself too (127.0.0.1, port 0)")
}
