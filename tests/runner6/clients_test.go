package runner6_test

import (
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/client"
	"github.com/bluelibs/go-tunnel/protocol/lane"
	"github.com/bluelibs/go-tunnel/protocol/serializer"
	"github.com/bluelibs/go-tunnel/standalone"
	"github.com/bluelibs/go-tunnel/tests/internal/runner"
	"github.com/bluelibs/go-tunnel/tests/internal/runner6"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

// goApp6 is a part of testdata/runner6/app.js in Go, with lanes.
func goApp6(t testing.TB, k *runner6.Keys) *standalone.Registry {
	r := standalone.NewRegistry()
	r.Codec = new(serializer.Codec)
	standalone.Task(r, "app.tasks.add", func(_ context.Context, in struct{ A, B float64 }) (float64, error) { return in.A + in.B, nil })
	for _, id := range []string{"app.tasks.echo", "app.tasks.nothing"} {
		r.HandleTask(id, testapp.Echo)
	}
	standalone.Task(r, "app.tasks.throw", func(_ context.Context, name string) (any, error) {
		if name == "coded" {
			return nil, &protocol.Error{ID: "app.errors.coded", Message: "Coded", HTTPCode: 422, Data: map[string]any{}}
		}
		return nil, errors.New("secret")
	})
	r.HandleTask("app.tasks.hmacTask", func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		value := call.Payload
		if value == nil {
			value = []byte(protocol.Undefined)
		}
		return &protocol.Reply{Value: append(append([]byte(`{"served":`), value...), '}')}, nil
	})
	for _, id := range []string{"app.tasks.headerTask", "app.tasks.edTask", "app.tasks.esTask", "app.tasks.rsTask"} {
		standalone.Task(r, id, func(context.Context, any) (string, error) { return "served", nil })
	}
	for _, id := range []string{"app.events.bare", "app.events.hmacEvent"} {
		r.HandleEvent(id, testapp.Echo)
	}
	for id, auth := range map[string]lane.Auth{
		"hmac": {Key: k.Secret}, "header": {Key: k.Secret, Header: "x-lane-token"}, "ed": {Key: k.Ed.Public()},
		"es": {Key: &k.Es.PublicKey}, "rs": {Key: &k.Rs.PublicKey},
	} {
		auth.Lane = id
		v, err := lane.NewVerifier(auth)
		require.NoError(t, err)
		r.Lane(v, "app.tasks."+id+"Task", "app.events."+id+"Event")
	}
	return r
}

// module6 is a part of it as a task module, which has no lanes.
const module6 = `
const coded = () => Object.assign(new Error("Coded"), { expose: true, id: "app.errors.coded", httpCode: 422, data: {} });
export const tasks = {
  "app.tasks.add": ({ a, b }) => a + b,
  "app.tasks.echo": (input) => input,
  "app.tasks.nothing": () => undefined,
  "app.tasks.throw": (name) => { throw name === "coded" ? coded() : new Error("secret"); },
};
export const events = { "app.events.bare": () => {} };
`

// The clients of Runner 6 do not notice whom they talk to. The exposure is among the
// servers to show that the script itself is right.
func TestRunner6Clients(t *testing.T) {
	env := runner6.Env(t)
	keys := runner6.NewKeys(t)
	options := map[string]any{"keys": keys.Options(t)}
	config := tunnel.Config{Tokens: []string{"secret"}}
	lanes := []string{"hmac", "header", "ed", "es", "rs"}
	for name, server := range map[string]struct {
		start func() string
		lanes []string
		bytes bool
	}{
		"exposure":   {func() string { return runner6.StartExposure(t, options) }, lanes, true},
		"runner":     {func() string { return testapp.ServeAsIs(t, runner6.App(t, options), config) }, lanes, true},
		"standalone": {func() string { return testapp.ServeAsIs(t, goApp6(t, keys), config) }, lanes, false},
		"module": {func() string {
			return testapp.ServeAsIs(t, testapp.StartWorker(t, ipc.Node(testapp.WriteModule(t, module6))), config)
		}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(map[string]any{
				"token": "secret", "keys": keys.Private(t), "lanes": append([]string{}, server.lanes...), "bytes": server.bytes,
			})
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), runner.ScriptBound)
			defer cancel()
			cmd := exec.CommandContext(ctx, "node", "clients.js", server.start()+"/__runner", string(text))
			cmd.Dir, cmd.Env, cmd.WaitDelay = runner6.Dir, append(cmd.Environ(), env...), time.Second
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "clients.js: %s", out)
			assert.Regexp(t, `^ok [1-9][0-9]* checks\n$`, string(out))
			t.Logf("%s", out)
		})
	}
}

// The Go client calls lanes of a Runner 6 application, behind its own exposure and behind
// ours.
func TestGoClientOnLanes(t *testing.T) {
	keys := runner6.NewKeys(t)
	options := map[string]any{"keys": keys.Options(t)}
	for name, address := range map[string]string{
		"exposure": runner6.StartExposure(t, options),
		"runner":   testapp.ServeAsIs(t, runner6.App(t, options), tunnel.Config{Tokens: []string{"secret"}}),
	} {
		c, err := client.New(address+"/__runner", client.Config{Token: "secret", Codec: new(serializer.Codec)})
		require.NoError(t, err)
		for lanes, key := range map[string]any{"hmac": keys.Secret, "header": keys.Secret, "ed": keys.Ed, "es": keys.Es, "rs": keys.Rs} {
			signing := lane.Signing{Lane: lanes, Key: key}
			if lanes == "header" {
				signing.Header = "x-lane-token"
			}
			signer, err := lane.NewSigner(signing)
			require.NoError(t, err)
			for _, in := range []any{
				nil, 1.5, "\u2028<&>", map[string]any{"10": 1, "9": 2, "b": []any{nil, true}}, time.Unix(5, 0),
				serializer.Map{{Key: "a", Value: serializer.Symbol{Key: "s"}}}, serializer.RegExp{Pattern: "a", Flags: "g"},
				&serializer.Error{Name: "TypeError", Message: "m", Stack: "s", Cause: &serializer.Error{Message: "c", Stack: "t"}},
			} {
				_, err := client.Task[any](t.Context(), c, "app.tasks."+lanes+"Task", in, client.WithLane(signer))
				assert.NoError(t, err, "%s, %s: %v", name, lanes, in)
			}
			_, err = client.Task[any](t.Context(), c, "app.tasks."+lanes+"Task", 1)
			assert.ErrorContains(t, err, "UNAUTHORIZED")
		}
		signer, err := lane.NewSigner(lane.Signing{Lane: "hmac", Key: keys.Secret})
		require.NoError(t, err)
		out, err := client.EventWithResult[map[string]any](t.Context(), c, "app.events.hmacEvent", map[string]any{"a": 1}, client.WithLane(signer))
		require.NoError(t, err, name)
		assert.Equal(t, true, out["seen"])
	}
}
