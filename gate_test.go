package tunnel_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/lane"
	"github.com/bluelibs/go-tunnel/standalone"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

// gatedRegistry serves app.charge and app.charged on the lane billing, app.free on none,
// under short ids too.
type gatedRegistry struct{ *standalone.Registry }

func (g gatedRegistry) List() *protocol.AllowList {
	return g.Registry.List().WithAliases(map[string]string{"charge": "app.charge", "free": "app.free", "hidden": "app.hidden", "app.free": "app.charge"})
}

func newGated(t testing.TB) (gatedRegistry, *lane.Signer) {
	key := []byte("a secret of the tests")
	v, err := lane.NewVerifier(lane.Auth{Lane: "billing", Key: key})
	require.NoError(t, err)
	signer, err := lane.NewSigner(lane.Signing{Lane: "billing", Key: key})
	require.NoError(t, err)
	r := standalone.NewRegistry()
	r.Lane(v, "app.charge", "app.charged")
	for _, id := range []string{"app.charge", "app.free"} {
		standalone.Task(r, id, func(ctx context.Context, _ any) (string, error) { return standalone.CallFrom(ctx).ID, nil })
	}
	standalone.Event(r, "app.charged", func(context.Context, any) error { return nil })
	return gatedRegistry{r}, signer
}

func signed(t testing.TB, signer *lane.Signer, kind protocol.Kind, id, body string) []string {
	h := http.Header{}
	require.NoError(t, signer.Sign(h, kind, id, []byte(body)))
	return []string{"Authorization", h.Get("Authorization")}
}

// The order of the checks: exposure, list, token of the lane, body, hash.
func TestGate(t *testing.T) {
	registry, signer := newGated(t)
	const body, other, broken = `{"input":1}`, `{"input":2}`, `{"input":`
	const unauthorized, forbidden = `"code":"UNAUTHORIZED"`, `"code":"FORBIDDEN"`
	right := signed(t, signer, protocol.KindTask, "app.charge", body)
	handlers := map[string]http.Handler{
		"direct": tunnel.New(registry, tunnel.Config{Tokens: []string{"secret"}, Logger: testapp.Quiet}),
		"routed": tunnel.New(tunnel.Route(standalone.NewRegistry(), registry), tunnel.Config{Tokens: []string{"secret"}, Logger: testapp.Quiet}),
		"listed": tunnel.New(registry, tunnel.Config{Tokens: []string{"secret"}, Logger: testapp.Quiet,
			AllowList: protocol.NewAllowList([]string{"app.charge", "app.free"}, []string{"app.charged"})}),
		// Who wraps the executor hides that it is a Gate: it refuses by itself.
		"wrapped": tunnel.New(tunnel.ExecutorFunc(registry.Execute), tunnel.Config{Tokens: []string{"secret"}, Logger: testapp.Quiet, AllowList: registry.List()}),
	}
	for name, handler := range handlers {
		t.Run(name, func(t *testing.T) {
			for _, tc := range []struct {
				path, body string
				header     []string
				want       string
			}{
				{"/task/app.charge", body, right, `"result":"app.charge"`},
				{"/task/app.charge", body, nil, unauthorized},
				{"/task/app.charge", other, right, unauthorized},
				{"/task/app.free", body, nil, `"result":"app.free"`},
				{"/task/app.hidden", body, nil, forbidden},
				{"/task/app.hidden", body, right, forbidden},
				{"/event/app.charged", `{"payload":1}`, signed(t, signer, protocol.KindEvent, "app.charged", `{"payload":1}`), `{"ok":true}`},
				{"/event/app.charged", `{"payload":1}`, right, unauthorized},
				{"/task/app.charge", broken, right, `"code":"INVALID_JSON"`},
			} {
				got := testapp.Send(t, handler, tc.path, tc.body, tc.header...)
				assert.Contains(t, got.Body.String(), tc.want, "%s %s", tc.path, tc.body)
			}
			r := httptest.NewRequest(http.MethodPost, "/__runner/task/app.charge", strings.NewReader(body))
			r.Header.Set("Authorization", right[1])
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			assert.Equal(t, http.StatusUnauthorized, w.Code, "the exposure's own token is needed as well")
			if name == "wrapped" {
				return
			}
			assert.Contains(t, testapp.Send(t, handler, "/task/app.charge", broken).Body.String(), unauthorized, "before the body is read")
			assert.Contains(t, testapp.Send(t, handler, "/task/charge", body, right...).Body.String(), `"result":"app.charge"`)
			assert.Contains(t, testapp.Send(t, handler, "/task/charge", body).Body.String(), unauthorized)
			assert.Contains(t, testapp.Send(t, handler, "/task/free", body).Body.String(), `"result":"app.free"`)
			assert.Contains(t, testapp.Send(t, handler, "/task/hidden", body).Body.String(), `Task hidden not exposed`)
			assert.Contains(t, testapp.Send(t, handler, "/event/charge", "").Body.String(), forbidden, "it is a task's name")
			assert.NotContains(t, testapp.Send(t, handler, "/discovery", "").Body.String(), `"charge"`)
		})
	}
}

// What a gate refuses, before the body or because of it, reaches no Middleware.
func TestGateComesBeforeMiddleware(t *testing.T) {
	registry, signer := newGated(t)
	reached := 0
	handler := tunnel.New(registry, tunnel.Config{
		Tokens: []string{"secret"}, Logger: testapp.Quiet,
		Middleware: []tunnel.Middleware{tunnel.Check(func(context.Context, *protocol.Call) error {
			reached++
			return nil
		})},
	})
	right := signed(t, signer, protocol.KindTask, "app.charge", `{"input":1}`)
	assert.Equal(t, http.StatusOK, testapp.Send(t, handler, "/task/app.charge", `{"input":1}`, right...).Code)
	assert.Equal(t, 1, reached)
	assert.Equal(t, http.StatusUnauthorized, testapp.Send(t, handler, "/task/app.charge", `{"input":2}`, right...).Code)
	assert.Equal(t, http.StatusUnauthorized, testapp.Send(t, handler, "/task/app.charge", `{"input":1}`).Code)
	assert.Equal(t, 1, reached)
}

// Middleware and the log see full ids, whatever the caller wrote.
func TestShortIDs(t *testing.T) {
	registry, _ := newGated(t)
	var log strings.Builder
	var seen []string
	handler := tunnel.New(registry, tunnel.Config{
		Tokens: []string{"secret"},
		Middleware: []tunnel.Middleware{tunnel.Check(func(_ context.Context, call *protocol.Call) error {
			seen = append(seen, call.ID)
			return nil
		})},
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	assert.Equal(t, http.StatusOK, testapp.Send(t, handler, "/task/free", "1").Code)
	assert.Equal(t, []string{"app.free"}, seen)
	assert.Contains(t, log.String(), "id=app.free")
	assert.Equal(t, http.StatusOK, testapp.Send(t, handler, "/task/app.free", "1").Code, "an id is no other's alias")
}

func TestRouteMergesAliases(t *testing.T) {
	list := func(ids []string, aliases map[string]string) tunnel.Executor {
		part := newPart("x", ids, nil)
		part.list.Store(part.list.Load().WithAliases(aliases))
		return part
	}
	router := tunnel.Route(
		list([]string{"a.one", "short"}, map[string]string{"one": "a.one", "both": "a.one"}),
		list([]string{"b.two", "b.short"}, map[string]string{"two": "b.two", "both": "b.two", "short": "b.short"}),
	)
	for id, want := range map[string]string{"one": "a.one", "two": "b.two", "both": "both", "short": "short", "a.one": "a.one", "none": "none"} {
		assert.Equal(t, want, router.List().Resolve(protocol.KindTask, id), id)
	}
}
