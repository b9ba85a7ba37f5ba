package standalone_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type addInput struct {
	A int `json:"a"`
	B int `json:"b"`
}

func add(_ context.Context, in addInput) (int, error) { return in.A + in.B, nil }

func execute(r *standalone.Registry, id, payload string) (*protocol.Reply, error) {
	call := &protocol.Call{ID: id, RequestID: "r-1"}
	if payload != "" {
		call.Payload = []byte(payload)
	}
	return r.Execute(context.Background(), call)
}

func TestTask(t *testing.T) {
	r := standalone.NewRegistry()
	standalone.Task(r, "add", add)
	standalone.Task(r, "pointer", func(_ context.Context, in *addInput) (bool, error) { return in == nil, nil })
	standalone.Task(r, "any", func(_ context.Context, in any) (any, error) { return in, nil })
	standalone.Task(r, "text", func(_ context.Context, in string) (string, error) { return in, nil })
	standalone.Task(r, "requestId", func(ctx context.Context, _ any) (string, error) {
		return standalone.CallFrom(ctx).RequestID, nil
	})
	for _, c := range []struct{ id, payload, want string }{
		{"add", `{"a":5,"b":3}`, `8`},
		{"add", `{"b":3,"other":true}`, `3`},
		{"add", ``, `0`},
		{"add", `null`, `0`},
		{"pointer", ``, `true`},
		{"pointer", `null`, `true`},
		{"pointer", `{}`, `false`},
		{"any", ``, `null`},
		{"any", `{"a":[1,"<&>",null]}`, `{"a":[1,"<&>",null]}`},
		{"text", `"<a href=\"x\">é\ud83d\ude00"`, `"<a href=\"x\">é😀"`},
		{"text", `"\ud800"`, "\"\uFFFD\""},
		{"requestId", ``, `"r-1"`},
	} {
		reply, err := execute(r, c.id, c.payload)
		require.NoError(t, err, c)
		assert.Equal(t, c.want, string(reply.Value), c)
	}
}

func TestInputThatDoesNotFit(t *testing.T) {
	r := standalone.NewRegistry()
	standalone.Task(r, "add", add)
	standalone.Event(r, "e", func(context.Context, addInput) error { return nil })
	for payload, message := range map[string]string{
		`{"a":"five"}`:  "Invalid input: unexpected string at a",
		`"text"`:        "Invalid input: unexpected string",
		`[1]`:           "Invalid input: unexpected array",
		`{"a":1.5}`:     "Invalid input: unexpected number 1.5 at a",
		`{"a":1e400}`:   "Invalid input: unexpected number 1e400 at a",
		`{"b":{"c":1}}`: "Invalid input: unexpected object at b",
	} {
		_, err := execute(r, "add", payload)
		var e *protocol.Error
		require.ErrorAs(t, err, &e, payload)
		assert.Equal(t, protocol.CodeInvalidInput, e.Code)
		assert.Equal(t, message, e.Message)
		_, err = r.Execute(t.Context(), &protocol.Call{Kind: protocol.KindEvent, ID: "e", Payload: []byte(payload)})
		require.ErrorAs(t, err, &e, payload)
	}
}

func TestErrorsPassAsTheyAre(t *testing.T) {
	private, public := errors.New("private"), &protocol.Error{ID: "app.errors.quota"}
	r := standalone.NewRegistry()
	standalone.Task(r, "private", func(context.Context, any) (any, error) { return nil, private })
	standalone.Task(r, "public", func(context.Context, any) (any, error) { return nil, public })
	standalone.Task(r, "unencodable", func(context.Context, any) (float64, error) { return math.NaN(), nil })

	_, err := execute(r, "private", "")
	assert.Same(t, private, err)
	_, err = execute(r, "public", "")
	assert.Same(t, public, err)
	_, err = execute(r, "unencodable", "")
	assert.ErrorContains(t, err, "encode the result of task unencodable")
	assert.Equal(t, protocol.Code(""), protocol.Public(err).Code, "private")
	_, err = execute(r, "unknown", "")
	assert.Equal(t, protocol.UnknownID(protocol.KindTask, "unknown"), err)
}

func TestEventReturnsItsPayload(t *testing.T) {
	var got addInput
	r := standalone.NewRegistry()
	standalone.Event(r, "e", func(_ context.Context, in addInput) error { got = in; return nil })
	reply, err := r.Execute(t.Context(), &protocol.Call{Kind: protocol.KindEvent, ID: "e", Payload: []byte(`{"a":1, "z":2}`)})
	require.NoError(t, err)
	assert.Equal(t, `{"a":1, "z":2}`, string(reply.Value))
	assert.Equal(t, addInput{A: 1}, got)
}

func TestRegistration(t *testing.T) {
	r := standalone.NewRegistry()
	assert.Empty(t, r.List().IDs(protocol.KindTask))
	standalone.Task(r, "b", add)
	standalone.Task(r, "a", add)
	standalone.Event(r, "b", func(context.Context, any) error { return nil })
	assert.JSONEq(t, `{"allowList":{"enabled":true,"tasks":["b","a"],"events":["b"]}}`, string(r.List().Discovery()))

	assert.Panics(t, func() { standalone.Task(r, "a", add) }, "taken")
	assert.Panics(t, func() { standalone.Event(r, "b", func(context.Context, any) error { return nil }) }, "taken")
	assert.Panics(t, func() { standalone.Task(r, "", add) }, "no id")
	assert.Panics(t, func() { standalone.Task[int, int](r, "c", nil) }, "no function")
	assert.Panics(t, func() { standalone.Event[int](r, "c", nil) }, "no function")
	assert.Panics(t, func() { r.HandleTask("c", nil) }, "no function")
}

func TestRegistrationWhileCallsRun(t *testing.T) {
	var r standalone.Registry // the zero value
	standalone.Task(&r, "add", add)
	var callers sync.WaitGroup
	for n := range 8 {
		callers.Go(func() {
			reply, err := execute(&r, "add", `{"a":1,"b":2}`)
			if assert.NoError(t, err) {
				assert.Equal(t, "3", string(reply.Value))
			}
			r.List()
			standalone.Task(&r, "more "+string(rune('a'+n)), add)
		})
	}
	callers.Wait()
	assert.Len(t, r.List().IDs(protocol.KindTask), 9)
}

type stubborn struct{}

func (stubborn) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return errors.New("no null")
	}
	return nil
}

func TestTypeThatRefusesNullCanBeRegistered(t *testing.T) {
	r := standalone.NewRegistry()
	standalone.Task(r, "s", func(context.Context, stubborn) (stubborn, error) { return stubborn{}, nil })
	_, err := execute(r, "s", `1`)
	require.NoError(t, err)
}

func BenchmarkTask(b *testing.B) {
	r := standalone.NewRegistry()
	standalone.Task(r, "add", add)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := execute(r, "add", `{"a":5,"b":3}`); err != nil {
			b.Fatal(err)
		}
	}
}
