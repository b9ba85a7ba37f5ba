// Package schemas_test puts checks in front of executors: schemas, their own and those
// that workers announce, and rate limits.
package schemas_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/ratelimit"
	"github.com/bluelibs/go-tunnel/protocol/schema"
	"github.com/bluelibs/go-tunnel/standalone"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counting is an executor that counts what reaches it.
func counting(calls *atomic.Int64) tunnel.Executor {
	return tunnel.ExecutorFunc(func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		calls.Add(1)
		return &protocol.Reply{Value: call.Payload}, nil
	})
}

// checkedHandler serves tasks and events whose schemas are those of a set.
func checkedHandler(t testing.TB, exec tunnel.Executor, sources schema.Sources, more ...tunnel.Middleware) http.Handler {
	t.Helper()
	set, err := schema.Compile(sources)
	require.NoError(t, err)
	return tunnel.New(exec, tunnel.Config{
		Tokens:     []string{"secret"},
		AllowList:  protocol.NewAllowList(slices.Collect(maps.Keys(sources.Tasks)), slices.Collect(maps.Keys(sources.Events))),
		Middleware: append([]tunnel.Middleware{tunnel.Check(set.Check), tunnel.CheckReply(set.CheckReply)}, more...),
		Logger:     testapp.Quiet,
	})
}

// addSchema is what a careful author writes for app.tasks.add.
const addSchema = `{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}},"required":["a","b"],"additionalProperties":false}`

// orderSchema has a bit of everything; its last parts are what zod writes.
const orderSchema = `{
	"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",
	"required":["id","items","contact"],"additionalProperties":false,
	"properties":{
		"id":{"type":"string","format":"uuid","pattern":"^[0-9a-fA-F-]{36}$"},
		"items":{"type":"array","minItems":1,"maxItems":3,"uniqueItems":true,"items":{"$ref":"#/$defs/item"}},
		"contact":{"type":"string","format":"email","pattern":"^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$"},
		"due":{"type":"string","format":"date-time"},
		"rate":{"type":"number","exclusiveMinimum":0,"maximum":1,"multipleOf":0.01},
		"labels":{"type":"object","propertyNames":{"pattern":"^[a-z]+$"},"additionalProperties":{"type":"string"},"maxProperties":2},
		"pair":{"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}],"items":false},
		"payment":{"oneOf":[
			{"type":"object","properties":{"kind":{"type":"string","const":"card"},"number":{"type":"string","minLength":4}},"required":["kind","number"],"additionalProperties":false},
			{"type":"object","properties":{"kind":{"type":"string","const":"cash"}},"required":["kind"],"additionalProperties":false}]},
		"parent":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},
	"$defs":{"item":{"type":"object","properties":{"sku":{"enum":["tea","pot"]},"count":{"type":"integer","minimum":1,"maximum":9007199254740991}},"required":["sku","count"],"additionalProperties":false}}}`

// order returns a valid order with a member changed, or as JSON null removed.
func order(t *testing.T, member, value string) string {
	t.Helper()
	valid := map[string]json.RawMessage{
		"id": json.RawMessage(`"123e4567-e89b-12d3-a456-426614174000"`), "items": json.RawMessage(`[{"sku":"tea","count":1}]`), "contact": json.RawMessage(`"ada@example.com"`),
	}
	if value == "" {
		delete(valid, member)
	} else if member != "" {
		valid[member] = json.RawMessage(value)
	}
	text, err := json.Marshal(valid)
	require.NoError(t, err)
	return string(text)
}

// Invalid input never reaches an executor, whatever is wrong with it and however it is
// sent; valid input always does.
func TestInvalidInputNeverReachesAnExecutor(t *testing.T) {
	var reached atomic.Int64
	handler := checkedHandler(t, counting(&reached), schema.Sources{
		Tasks:  map[string]any{"add": []byte(addSchema), "order": []byte(orderSchema), "text": map[string]any{"type": "string"}, "none": false},
		Events: map[string]any{"added": []byte(addSchema)},
	})
	input := func(text string) string { return `{"input":` + text + `}` }
	orders := map[string][]string{
		"id":        {"", `1`, `""`, `"123e4567-e89b-12d3-a456-42661417400"`, `"zzze4567-e89b-12d3-a456-426614174000"`, `null`, `["123e4567-e89b-12d3-a456-426614174000"]`},
		"items":     {"", `[]`, `{}`, `[{"sku":"tea","count":1},{"count":1.0,"sku":"tea"}]`, `[{"sku":"cup","count":1}]`, `[{"sku":"tea","count":0}]`, `[{"sku":"tea","count":1.5}]`, `[{"sku":"tea","count":9007199254740992}]`, `[{"sku":"tea","count":1e1000000}]`, `[{"sku":"tea","count":1,"x":1}]`, `[{"sku":"tea"}]`, `[1,2,3,4]`, `[null]`},
		"contact":   {"", `"ada"`, `".ada@example.com"`, `"a..b@example.com"`, `"ada@example.c"`, `{"__type":"Undefined","value":null}`},
		"due":       {`"2024-02-30T00:00:00Z"`, `"tomorrow"`, `1704164645678`, `{"__type":"Date","value":"2024-01-02T03:04:05.678Z"}`},
		"rate":      {`0`, `1.01`, `0.005`, `"0.5"`, `-0.0`, `{"__type":"NonFiniteNumber","value":"NaN"}`},
		"labels":    {`{"A":"x"}`, `{"a":1}`, `{"a":"","b":"","c":""}`, `[]`, `{"a":"x","a":"y"}`},
		"pair":      {`["a",1,2]`, `[1,"a"]`, `["a",1.5]`},
		"payment":   {`{}`, `{"kind":"card"}`, `{"kind":"cash","number":"1234"}`, `{"kind":"card","number":"123"}`, `"cash"`},
		"parent":    {`{}`, `{"id":1}`, `5`, `{"__type":"Map","value":[]}`},
		"other":     {`1`, `null`},
		"__proto__": {`{"id":1}`},
	}
	type request struct{ path, body string }
	invalid := []request{
		{"/task/add", ``}, {"/task/add", `null`}, {"/task/add", `5`}, {"/task/add", `{}`}, {"/task/add", `[]`}, {"/task/add", `{"input":null}`},
		{"/task/add", `{"input":` + protocol.Undefined + `}`}, {"/task/add", `{"a":1}`}, {"/task/add", `{"a":1,"b":"2"}`}, {"/task/add", `{"a":1,"b":2,"c":3}`},
		{"/task/add", input(`{"a":1}`)}, {"/task/add", input(`{"a":null,"b":2}`)}, {"/task/add", input(`{"A":1,"B":2}`)}, {"/task/add", input(`{"a":1,"b":2,"B":3}`)},
		{"/task/add", input(`{"a":1,"b":2,"b":3}`)}, {"/task/add", input(`{"a":1,"\u0061":2,"b":3}`)}, {"/task/add", input(`[{"a":1,"b":2}]`)},
		{"/task/add", input(`{"a":1,"b":2}`) + " x"}, {"/task/add", `{"input":{"a":1,"b":2},"input":{"a":1}}`}, {"/task/add", input(`"{\"a\":1,\"b\":2}"`)},
		{"/task/add", input(`{"a":1,"b":{"__type":"BigInt","value":"2"}}`)}, {"/task/add", input(`{"__type":"Map","value":[["a",1]],"a":1,"b":2}`)},
		{"/task/add", input(`{"a":1,"b":1e99999}`)}, {"/task/add", input(`{"a":1,"b":` + strings.Repeat("9", 500) + `}`)}, {"/task/add", input(strings.Repeat("[", 900) + strings.Repeat("]", 900))},
		{"/task/add", `{"__graph":true,"version":1,"root":{"__ref":"n"},"nodes":{},"a":1,"b":2}`}, {"/task/add", input(`{"a":1,"b":2,"$runner.escape::b":"x"}`)},
		{"/task/text", input(`1`)}, {"/task/text", ``}, {"/task/text", input(`["a"]`)}, {"/task/none", input(`1`)}, {"/task/none", ``}, {"/task/%6eone", `{}`},
		{"/event/added", ``}, {"/event/added", `{"a":1,"b":2}`}, {"/event/added", `{"input":{"a":1,"b":2}}`}, {"/event/added", `{"payload":{"a":1}}`},
		{"/event/added", `{"payload":{"a":1,"b":"2"},"returnPayload":true}`},
	}
	for member, values := range orders {
		for _, value := range values {
			if member == "labels" && strings.Count(value, `"a"`) > 1 || member == "__proto__" { // the map of order cannot say it
				invalid = append(invalid, request{"/task/order", input(strings.TrimSuffix(order(t, "", ""), "}") + `,"` + member + `":` + value + "}")})
				continue
			}
			invalid = append(invalid, request{"/task/order", input(order(t, member, value))})
		}
	}
	require.GreaterOrEqual(t, len(invalid), 60)
	t.Logf("%d invalid inputs", len(invalid))
	for _, r := range invalid {
		w := testapp.Send(t, handler, r.path, r.body)
		assert.Equal(t, http.StatusBadRequest, w.Code, "%s %s: %s", r.path, r.body, w.Body)
		assert.Contains(t, w.Body.String(), `"code":"INVALID_`, r.body)
	}
	assert.Zero(t, reached.Load(), "what reached the executor")

	valid := []request{
		{"/task/add", input(`{"a":1,"b":2}`)}, {"/task/add", `{"b":-1e3,"a":0.5}`}, {"/task/text", input(`""`)}, {"/event/added", `{"payload":{"a":1,"b":2}}`},
	}
	for member, value := range map[string]string{
		"": "x", "due": `"2024-01-02T03:04:05.678Z"`, "rate": `0.07`, "labels": `{"a":"x","b":""}`, "pair": `["a",1]`, "payment": `{"kind":"card","number":"1234"}`,
		"parent": order(t, "parent", "null"), "contact": `"o'neill+x@sub.example.org"`, "items": `[{"sku":"tea","count":1},{"sku":"tea","count":2}]`,
	} {
		valid = append(valid, request{"/task/order", input(order(t, member, value))})
	}
	for _, r := range valid {
		w := testapp.Send(t, handler, r.path, r.body)
		assert.Equal(t, http.StatusOK, w.Code, "%s %s: %s", r.path, r.body, w.Body)
	}
	assert.EqualValues(t, len(valid), reached.Load())
}

func TestIssuesOnTheWire(t *testing.T) {
	handler := checkedHandler(t, counting(new(atomic.Int64)), schema.Sources{Tasks: map[string]any{"add": []byte(addSchema)}})
	w := testapp.Send(t, handler, "/task/add", `{"input":{"a":"1","c":2}}`)
	assert.Equal(t, http.StatusBadRequest, w.Code)
	assert.JSONEq(t, `{"ok":false,"error":{"message":"Invalid input","code":"INVALID_INPUT","data":{"issues":[
		{"pointer":"/a","reason":"must be number, is string"},{"pointer":"/b","reason":"is missing"},{"pointer":"/c","reason":"is not allowed"}]}}}`, w.Body.String())
}

// A schema that does not compile fails its own calls, if the service asks for that, and
// what is wrong with it stays in the log.
func TestOneBadSchema(t *testing.T) {
	var reached atomic.Int64
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	sources := schema.Sources{Tasks: map[string]any{
		"good": []byte(`{"type":"number"}`), "bad": []byte(`{"properties":{"secret":{"pattern":"("}}}`),
	}}
	_, err := schema.Compile(sources)
	require.ErrorContains(t, err, `schema of task "bad": /properties/secret/pattern`)
	sources.Options = schema.Options{ServeOthers: true, Logger: logger}
	set, err := schema.Compile(sources)
	require.NoError(t, err)
	assert.Contains(t, log.String(), `/properties/secret/pattern`)

	log.Reset()
	handler := tunnel.New(counting(&reached), tunnel.Config{
		Tokens: []string{"secret"}, AllowList: protocol.NewAllowList([]string{"good", "bad"}, nil), Logger: logger,
		Middleware: []tunnel.Middleware{tunnel.Check(set.Check)},
	})
	assert.Equal(t, http.StatusOK, testapp.Send(t, handler, "/task/good", `{"input":5}`).Code)
	w := testapp.Send(t, handler, "/task/bad", `{"input":{}}`)
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	assert.Equal(t, `{"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}`, w.Body.String())
	assert.Contains(t, log.String(), `schema of task \"bad\": /properties/secret/pattern`)
	assert.EqualValues(t, 1, reached.Load())
}

func TestCheckReply(t *testing.T) {
	closed := false
	exec := tunnel.ExecutorFunc(func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		switch call.ID {
		case "stream":
			return &protocol.Reply{Stream: closer{strings.NewReader("bytes"), &closed}}, nil
		case "fail":
			return nil, testapp.ErrSecret
		}
		return &protocol.Reply{Value: call.Payload}, nil
	})
	number := map[string]any{"type": "number"}
	sources := schema.Sources{
		Tasks:   map[string]any{"echo": true, "stream": true, "fail": true},
		Results: map[string]any{"echo": number, "stream": number, "fail": number},
	}
	handler := checkedHandler(t, exec, sources)
	assert.Equal(t, `{"ok":true,"result":5}`, testapp.Send(t, handler, "/task/echo", `5`).Body.String())
	assert.Equal(t, "bytes", testapp.Send(t, handler, "/task/stream", ``).Body.String())
	for path, body := range map[string]string{"/task/echo": `"secret"`, "/task/fail": ``} {
		w := testapp.Send(t, handler, path, body)
		assert.Equal(t, http.StatusInternalServerError, w.Code)
		assert.Equal(t, `{"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}`, w.Body.String())
	}
	closed = false
	reply, err := tunnel.CheckReply(func(context.Context, *protocol.Call, *protocol.Reply) error { return testapp.ErrSecret })(exec).
		Execute(t.Context(), &protocol.Call{ID: "stream"})
	assert.ErrorIs(t, err, testapp.ErrSecret)
	assert.Nil(t, reply)
	assert.True(t, closed, "a stream that nobody reads is closed")
}

type closer struct {
	io.Reader
	closed *bool
}

func (c closer) Close() error {
	*c.closed = true
	return nil
}

func TestRateLimitOnTheWire(t *testing.T) {
	var reached atomic.Int64
	limiter := ratelimit.New(ratelimit.Config{PerKey: ratelimit.Limit{PerSecond: 0.001, Burst: 2}, Key: func(call *protocol.Call) string { return call.Header.Get("Caller") }})
	handler := checkedHandler(t, counting(&reached), schema.Sources{Tasks: map[string]any{"a": true}}, tunnel.Check(limiter.Check))
	for range 2 {
		assert.Equal(t, http.StatusOK, testapp.Send(t, handler, "/task/a", "", "Caller", "x").Code)
	}
	w := testapp.Send(t, handler, "/task/a", "", "Caller", "x")
	assert.Equal(t, http.StatusTooManyRequests, w.Code)
	assert.Equal(t, `{"ok":false,"error":{"message":"Too many requests","code":"RATE_LIMITED"}}`, w.Body.String())
	assert.Contains(t, []string{"999", "1000"}, w.Header().Get("Retry-After"))
	assert.Equal(t, http.StatusOK, testapp.Send(t, handler, "/task/a", "", "Caller", "y").Code)
	assert.EqualValues(t, 3, reached.Load())
}

func TestSchemasInDiscovery(t *testing.T) {
	registry := standalone.NewRegistry()
	standalone.Task(registry, "add", func(_ context.Context, in struct {
		A uint8 `json:"a"`
	}) (uint8, error) {
		return in.A, nil
	})
	standalone.Task(registry, "hidden", func(_ context.Context, in string) (string, error) { return in, nil })
	registry.HandleTask("raw", testapp.Echo)
	standalone.Event(registry, "happened", func(context.Context, string) error { return nil })
	set, err := schema.Compile(schema.Sources{
		Tasks: schema.Types(registry.Inputs(protocol.KindTask)), Events: schema.Types(registry.Inputs(protocol.KindEvent)),
	})
	require.NoError(t, err)
	config := tunnel.Config{Tokens: []string{"secret"}, AllowList: protocol.NewAllowList([]string{"raw", "add"}, []string{"happened"}), Schemas: set.Schemas, Logger: testapp.Quiet}
	const allowList = `"allowList":{"enabled":true,"tasks":["raw","add"],"events":["happened"]}`
	assert.JSONEq(t, `{"ok":true,"result":{`+allowList+`,"schemas":{"tasks":{"add":{"type":"object","properties":{"a":{"type":"integer","minimum":0,"maximum":255}},"required":["a"],"additionalProperties":false}},"events":{"happened":{"type":"string"}}}}}`,
		testapp.Send(t, tunnel.New(registry, config), "/discovery", "").Body.String())

	config.Schemas = func() protocol.Schemas {
		return protocol.Schemas{Tasks: map[string]json.RawMessage{"add": json.RawMessage(`{`)}}
	}
	assert.Equal(t, http.StatusInternalServerError, testapp.Send(t, tunnel.New(registry, config), "/discovery", "").Code, "no valid JSON")
	config.Schemas = nil
	assert.Equal(t, `{"ok":true,"result":{`+allowList+`}}`, testapp.Send(t, tunnel.New(registry, config), "/discovery", "").Body.String())
	assert.Equal(t, http.StatusUnauthorized, testapp.Send(t, tunnel.New(registry, config), "/discovery", "", "X-Runner-Token", "wrong").Code)
}

var errStop = errors.New("stop")

func TestCheckPassesErrorsOn(t *testing.T) {
	check := tunnel.Check(func(_ context.Context, call *protocol.Call) error {
		if call.ID == "stop" {
			return errStop
		}
		return nil
	})
	var reached atomic.Int64
	exec := check(counting(&reached))
	_, err := exec.Execute(t.Context(), &protocol.Call{ID: "stop"})
	assert.ErrorIs(t, err, errStop)
	_, err = exec.Execute(t.Context(), &protocol.Call{ID: "go"})
	assert.NoError(t, err)
	assert.EqualValues(t, 1, reached.Load())
}

// The schema of an input with files says what stands for one, and checks only that.
func TestSchemaOfAFile(t *testing.T) {
	type in struct {
		Album string            `json:"album"`
		Photo standalone.File   `json:"photo"`
		Scan  *standalone.File  `json:"scan,omitempty"`
		More  []standalone.File `json:"more,omitempty"`
	}
	registry := standalone.NewRegistry()
	standalone.Task(registry, "files", func(context.Context, in) (string, error) { return "ran", nil })
	handler := checkedHandler(t, registry, schema.Sources{Tasks: schema.Types(registry.Inputs(protocol.KindTask))})
	const file = `{"$runnerFile":"File","id":"a","meta":{"name":"x"},"more":[1]}`
	for photo, ok := range map[string]bool{
		file: true, `{"$ejson":"File","id":""}`: true, `{"$runnerFile":"File","$ejson":1,"id":"a"}`: true,
		`null`: false, `5`: false, `{}`: false, `{"id":"a"}`: false, `{"$runnerFile":"File"}`: false, `{"$runnerFile":"File","id":1}`: false,
		`{"$runnerFile":"Other","id":"a"}`: false, `{"$ejson":1,"id":"a"}`: false, `[]`: false,
	} {
		for _, input := range []string{
			`{"album":"a","photo":` + photo + `}`,
			`{"album":"a","photo":` + file + `,"scan":` + photo + `}`,
			`{"album":"a","photo":` + file + `,"scan":null,"more":[` + file + `,` + photo + `]}`,
		} {
			answer := testapp.Send(t, handler, "/task/files", `{"input":`+input+`}`)
			if ok || photo == `null` && strings.Contains(input, `"scan":null}`) {
				assert.Equal(t, http.StatusUnsupportedMediaType, answer.Code, "%s: %s", input, answer.Body)
			} else {
				assert.Equal(t, http.StatusBadRequest, answer.Code, "%s: %s", input, answer.Body)
				assert.Contains(t, answer.Body.String(), `"pointer":"/`, input)
			}
		}
	}
}
