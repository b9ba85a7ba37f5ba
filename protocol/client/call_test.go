package client_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/client"
)

func TestRequests(t *testing.T) {
	for name, c := range map[string]struct {
		call               func(*testing.T, *client.Client) error
		method, path, body string
	}{
		"task":               {task("app.tasks.add", map[string]int{"a": 1}), "POST", "/__runner/task/app.tasks.add", `{"input":{"a":1}}`},
		"task without input": {task("a", nil), "POST", "/__runner/task/a", `{"input":{"__type":"Undefined","value":null}}`},
		"task with null":     {task("a", json.RawMessage("null")), "POST", "/__runner/task/a", `{"input":null}`},
		"nil pointer":        {task("a", (*int)(nil)), "POST", "/__runner/task/a", `{"input":null}`},
		"no HTML escapes":    {task("a", "<&>"), "POST", "/__runner/task/a", `{"input":"<&>"}`},
		"odd id":             {task("app/tasks/odd id%", 1), "POST", "/__runner/task/app%2Ftasks%2Fodd%20id%25", `{"input":1}`},
		"id that climbs":     {task("../x", 1), "POST", "/__runner/task/..%2Fx", `{"input":1}`},
		"id with a query":    {task("a?b#c", 1), "POST", "/__runner/task/a%3Fb%23c", `{"input":1}`},
		"event": {func(t *testing.T, c *client.Client) error {
			return client.Event(t.Context(), c, "app.events.notify", "hi")
		}, "POST", "/__runner/event/app.events.notify", `{"payload":"hi"}`},
		"event without payload": {func(t *testing.T, c *client.Client) error {
			return client.Event(t.Context(), c, "e", nil)
		}, "POST", "/__runner/event/e", `{"payload":{"__type":"Undefined","value":null}}`},
		"event with result": {func(t *testing.T, c *client.Client) error {
			_, err := client.EventWithResult[any](t.Context(), c, "e", 1)
			return err
		}, "POST", "/__runner/event/e", `{"payload":1,"returnPayload":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			var got []received
			require.NoError(t, c.call(t, serve(t, recording(&got, okAnswer))))
			require.Len(t, got, 1)
			assert.Equal(t, c.method, got[0].method)
			assert.Equal(t, c.path, got[0].path)
			assert.Equal(t, c.body, got[0].body)
			assert.Equal(t, int64(len(c.body)), got[0].length)
			assert.Equal(t, "application/json; charset=utf-8", got[0].header.Get("Content-Type"))
			assert.Equal(t, []string{"secret"}, got[0].header["X-Runner-Token"])
			assert.Regexp(t, "^[0-9a-f-]{36}$", got[0].header.Get("X-Runner-Request-Id"))
			assert.Empty(t, got[0].header["X-Runner-Context"])
		})
	}
}

func task(id string, in any) func(*testing.T, *client.Client) error {
	return func(t *testing.T, c *client.Client) error {
		_, err := client.Task[any](t.Context(), c, id, in)
		return err
	}
}

func TestBadArguments(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	cyclic := map[string]any{}
	cyclic["self"] = cyclic
	deep := strings.Repeat("[", protocol.MaxDepth+1) + strings.Repeat("]", protocol.MaxDepth+1)
	for name, in := range map[string]any{
		"cannot be encoded":  func() {},
		"breaks out":         json.RawMessage(`1},"x":{"y":2`),
		"no JSON":            json.RawMessage(`{`),
		"too deep":           json.RawMessage(deep),
		"file by value":      client.File{Reader: strings.NewReader("x")},
		"file in a struct":   struct{ F client.File }{},
		"file without bytes": &client.File{Name: "a"},
	} {
		_, err := client.Task[any](t.Context(), c, "x", in)
		assertOpError(t, err, "task x", name)
		assertOpError(t, client.Event(t.Context(), c, "x", in), "event x", name)
		_, err = client.EventWithResult[any](t.Context(), c, "x", in)
		assertOpError(t, err, "event x", name)
		_, err = client.TaskStream(t.Context(), c, "x", in)
		assertOpError(t, err, "task x", name)
	}
	for _, payload := range []any{strings.NewReader("x"), &client.File{Reader: strings.NewReader("x")}} {
		assertOpError(t, client.Event(t.Context(), c, "x", payload), "event x", "%T", payload)
	}
	_, err := client.Task[any](t.Context(), c, "x", 1, client.WithContext("c", func() {}))
	assertOpError(t, err, "task x", "context")
}

func assertOpError(t *testing.T, err error, op string, msg ...any) {
	t.Helper()
	var failed *client.Error
	if assert.ErrorAs(t, err, &failed, msg...) {
		assert.Equal(t, op, failed.Op, msg...)
		assert.NotEmpty(t, failed.RequestID, msg...)
		assert.Zero(t, failed.Status, msg...)
	}
}

func TestResults(t *testing.T) {
	type point struct{ X, Y int }
	c := serve(t, answering(200, "application/json", `{"ok":true,"result":{"x":1,"y":2}}`))
	got, err := client.Task[point](t.Context(), c, "a", nil)
	require.NoError(t, err)
	assert.Equal(t, point{1, 2}, got)
	raw, err := client.EventWithResult[json.RawMessage](t.Context(), c, "a", nil)
	require.NoError(t, err)
	assert.Equal(t, `{"x":1,"y":2}`, string(raw))

	for _, nothing := range []string{
		`{"ok":true}`, `{"ok":true,"result":null}`, `{"ok":true,"result":` + protocol.Undefined + `}`,
		`{"ok": true, "result": {"value": null, "__type": "Undefined"}}`,
	} {
		c := serve(t, answering(200, "application/json", nothing))
		n, err := client.Task[int](t.Context(), c, "a", nil)
		require.NoError(t, err, nothing)
		assert.Zero(t, n)
		p, err := client.Task[*point](t.Context(), c, "a", nil)
		require.NoError(t, err, nothing)
		assert.Nil(t, p)
	}
}

// What was asked for must be there, unlike the result of a task.
func TestEventWithoutResult(t *testing.T) {
	c := serve(t, answering(200, "application/json", `{"ok":true}`))
	_, err := client.EventWithResult[any](t.Context(), c, "a", nil)
	var answer *client.AnswerError
	require.ErrorAs(t, err, &answer)
	require.NoError(t, client.Event(t.Context(), c, "a", nil))
}

// A result that fits in part is none.
func TestResultThatFitsInPart(t *testing.T) {
	type pair struct {
		A int
		B string
	}
	got, err := client.Task[pair](t.Context(), serve(t, answering(200, "application/json", `{"ok":true,"result":{"A":1,"B":2}}`)), "a", nil)
	var answer *client.AnswerError
	require.ErrorAs(t, err, &answer)
	assert.Zero(t, got)
}

// The types of Go are compiled on their first use, by whichever call comes first.
func TestConcurrentCalls(t *testing.T) {
	type in struct{ A, B []map[string]int }
	c := serve(t, answering(200, "application/json", `{"ok":true,"result":{"A":[{"x":1}]}}`))
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			out, err := client.Task[in](t.Context(), c, "a", in{})
			assert.NoError(t, err)
			assert.Equal(t, 1, out.A[0]["x"])
		})
	}
	wait.Wait()
}

func TestRequestIDAndContexts(t *testing.T) {
	var got []received
	c := serve(t, recording(&got, okAnswer), func(cfg *client.Config) {
		cfg.Header = http.Header{"X-Own": {"a", "b"}, "X-Runner-Token": {"other"}}
	})
	_, err := client.Task[any](t.Context(), c, "a", 1,
		client.WithRequestID("r-1"),
		client.WithContext("app.user", map[string]string{"name": "Zoë 🙂\x7f<"}),
		client.WithContext("app.tenant", client.RawContext("T:acme")),
		client.WithContext("app.none", nil))
	require.NoError(t, err)
	assert.Equal(t, []string{"r-1"}, got[0].header["X-Runner-Request-Id"])
	assert.Equal(t, []string{"a", "b"}, got[0].header["X-Own"])
	assert.Equal(t, []string{"secret"}, got[0].header["X-Runner-Token"])
	header := got[0].header.Get("X-Runner-Context")
	assert.Regexp(t, `^[ -~]+$`, header, "Node.js reads headers as Latin-1")
	var contexts map[string]string
	require.NoError(t, json.Unmarshal([]byte(header), &contexts))
	assert.Equal(t, map[string]string{
		"app.user": "{\"name\":\"Zoë 🙂\x7f<\"}", "app.tenant": "T:acme", "app.none": protocol.Undefined,
	}, contexts)

	_, err = client.Task[any](t.Context(), c, "a", 1, client.WithRequestID("not acceptable"))
	require.NoError(t, err)
	assert.Regexp(t, "^[0-9a-f-]{36}$", got[1].header.Get("X-Runner-Request-Id"))
}

func TestCodec(t *testing.T) {
	var got []received
	c := serve(t, recording(&got, `{"ok":true,"result":"b"}`), func(cfg *client.Config) { cfg.Codec = shouting{} })
	out, err := client.Task[string](t.Context(), c, "a", "b", client.WithContext("x", "c"))
	require.NoError(t, err)
	assert.Equal(t, "read", out)
	assert.Equal(t, `{"input":"B"}`, got[0].body)
	assert.Equal(t, `{"x":"\"C\""}`, got[0].header.Get("X-Runner-Context"))

	_, err = client.Task[int](t.Context(), c, "a", "b")
	var answer *client.AnswerError
	require.ErrorAs(t, err, &answer)
	assert.ErrorIs(t, err, errNotText)
}

// An error of the codec is none of the server, even if it looks like one.
func TestCodecFails(t *testing.T) {
	c := serve(t, answering(200, "application/json", okAnswer), func(cfg *client.Config) { cfg.Codec = failing{} })
	for _, in := range []any{nil, 1} {
		_, err := client.Task[int](t.Context(), c, "a", in)
		var remote *protocol.Error
		assert.False(t, errors.As(err, &remote), "%v", err)
		assert.ErrorContains(t, err, "unknown type")
	}
}

// failing is a codec that knows nothing.
type failing struct{}

var errUnknownType = &protocol.Error{Code: protocol.CodeInvalidJSON, Message: "unknown type"}

func (failing) Marshal(any) ([]byte, error) { return nil, errUnknownType }
func (failing) Unmarshal([]byte, any) error { return errUnknownType }

var errNotText = errors.New("no text")

// shouting is a codec of upper-case strings.
type shouting struct{}

func (shouting) Marshal(v any) ([]byte, error) {
	return []byte(`"` + strings.ToUpper(v.(string)) + `"`), nil
}

func (shouting) Unmarshal(_ []byte, v any) error {
	if text, ok := v.(*string); ok {
		*text = "read"
		return nil
	}
	return errNotText
}

func TestDiscover(t *testing.T) {
	var got []received
	list, err := serve(t, recording(&got, `{"ok":true,"result":{"allowList":{"enabled":true,"tasks":["b","a"],"events":[]}}}`)).Discover(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, list.IDs(protocol.KindTask))
	assert.Empty(t, list.IDs(protocol.KindEvent))
	assert.Equal(t, "GET", got[0].method)
	assert.Equal(t, "/__runner/discovery", got[0].path)
	assert.Equal(t, "secret", got[0].header.Get("X-Runner-Token"))
	assert.Empty(t, got[0].header["Content-Type"])

	list, err = serve(t, answering(200, "application/json", `{"ok":true,"result":{"allowList":{"enabled":false,"tasks":[],"events":[]}}}`)).Discover(t.Context())
	require.NoError(t, err)
	assert.Nil(t, list)

	for _, bad := range []string{`{"ok":true}`, `{"ok":true,"result":[]}`, `{"ok":true,"result":{}}`, `{"ok":true,"result":{"allowList":{"tasks":7}}}`} {
		_, err = serve(t, answering(200, "application/json", bad)).Discover(t.Context())
		var answer *client.AnswerError
		require.ErrorAs(t, err, &answer, bad)
		assert.Equal(t, bad, answer.Preview)
		assert.Contains(t, err.Error(), "client: discovery (request ")
	}
}
