package tunnel_test

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

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"

	tunnel "github.com/bluelibs/go-tunnel"
)

// printed are the lines that a worker prints.
type printed struct{ lines chan string }

func listen6(t *testing.T) (*printed, func(*ipc.Options)) {
	reader, writer := io.Pipe()
	p := &printed{make(chan string, 100)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			p.lines <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		_ = writer.Close()
		<-done
	})
	return p, func(o *ipc.Options) { o.Output = writer }
}

// await waits for a line.
func (p *printed) await(t testing.TB, line string) {
	t.Helper()
	late := time.After(startBound)
	for {
		select {
		case got := <-p.lines:
			if strings.Contains(got, line) {
				return
			}
		case <-late:
			t.Fatalf("the worker has not said %q", line)
		}
	}
}

// Work ends with its caller, in tasks and hooks.
func TestRunner6Signal(t *testing.T) {
	output, listening := listen6(t)
	pool := runner6App(t, map[string]any{"keys": newLaneKeys(t).options(t)}, listening)
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
		output.await(t, name+" began")
		leave()
		require.ErrorIs(t, <-result, context.Canceled)
		output.await(t, name+" was aborted")
	}
	require.Eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 0 }, startBound, time.Millisecond)
}

// A task that obeys its signal obeys TaskTimeout: its worker stays.
func TestRunner6TaskTimeout(t *testing.T) {
	output, listening := listen6(t)
	pool := runner6App(t, map[string]any{"keys": newLaneKeys(t).options(t)}, listening, func(o *ipc.Options) {
		o.TaskTimeouts = map[string]time.Duration{"app.tasks.slow": time.Millisecond}
		o.CancelGrace = startBound
	})
	_, err := pool.Execute(t.Context(), &protocol.Call{ID: "app.tasks.slow", Payload: []byte("1")})
	require.Equal(t, protocol.CodeTaskTimeout, protocol.CodeOf(err))
	output.await(t, "slow 1 was aborted")
	require.Eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 0 }, startBound, time.Millisecond)
	assert.Equal(t, 1, pool.Stats().Workers[0].Starts)
}

// Validators learn who asks them.
func TestRunner6Validators(t *testing.T) {
	pool := runner6App(t, map[string]any{"keys": newLaneKeys(t).options(t), "withValidators": true})
	address := serveAsIs(t, pool, tunnel.Config{Authenticate: pool.Authenticate})
	status := func(source string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/__runner/task/app.tasks.add", strings.NewReader(sumBody))
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
	keys := newLaneKeys(t)
	for name, auth := range map[string]map[string]any{
		"a key of another kind": {"mode": "jwt_asymmetric", "algorithm": "RS256", "publicKey": keys.options(t)["edPublic"]},
		"no key at all":         {"mode": "jwt_asymmetric", "publicKey": "none"},
	} {
		err := startError6(t, map[string]any{"keys": keys.options(t), "change": map[string]any{"hmac": auth}})
		for _, said := range []string{"the tokens of the lane hmac cannot be checked here", "app.tasks.hmacTask", "Config.Authenticate"} {
			assert.ErrorContains(t, err, said, name)
		}
	}
}

// An application that listens by itself is told of.
func TestRunner6SecondDoor(t *testing.T) {
	log := &logBuffer6{lines: make(chan string, 100)}
	http := map[string]any{"listen": map[string]any{"host": "127.0.0.1", "port": 0}, "auth": map[string]any{"token": "x"}}
	runner6App(t, map[string]any{"keys": newLaneKeys(t).options(t), "http": http}, func(o *ipc.Options) { o.Logger = log.logger() })
	log.await(t, "the application listens by itself too (127.0.0.1, port 0)")
}
