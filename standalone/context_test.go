package standalone_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"
)

type user struct {
	Name string `json:"name"`
}

// withContexts runs a typed task whose caller has sent an x-runner-context header.
func withContexts(t *testing.T, codec protocol.Codec, headers []string, read func(ctx context.Context)) {
	t.Helper()
	for _, kind := range []protocol.Kind{protocol.KindTask, protocol.KindEvent} {
		registry := &standalone.Registry{Codec: codec}
		ran := false
		run := func(ctx context.Context) { read(ctx); ran = true }
		standalone.Task(registry, "a", func(ctx context.Context, _ any) (any, error) { run(ctx); return nil, nil })
		standalone.Event(registry, "a", func(ctx context.Context, _ any) error { run(ctx); return nil })
		_, err := registry.Execute(t.Context(), &protocol.Call{Kind: kind, ID: "a", Header: http.Header{"X-Runner-Context": headers}})
		require.NoError(t, err)
		assert.True(t, ran)
	}
}

func TestContextValue(t *testing.T) {
	for name, c := range map[string]struct {
		header string
		ok     bool
		want   user
	}{
		"there":                      {`{"app.user":"{\"name\":\"Ann\"}"}`, true, user{"Ann"}},
		"among others":               {`{"x":"1","app.user":"{\"name\":\"Ann\"}","y":2}`, true, user{"Ann"}},
		"others that cannot be read": {`{"x":"{","app.user":"{\"name\":\"Ann\"}","y":{"a":[]}}`, true, user{"Ann"}},
		"blanks around":              {" \t{ \"app.user\" : \"{}\" } ", true, user{}},
		"null":                       {`{"app.user":"null"}`, true, user{}},
		"undefined":                  {`{"app.user":"{\"__type\":\"Undefined\",\"value\":null}"}`, true, user{}},
		"escaped":                    {`{"app.user":"{\"name\":\"\\u65e5\"}"}`, true, user{"日"}},
		"Latin-1, as Node.js has it": {"{\"app.user\":\"{\\\"name\\\":\\\"\xe9\\\"}\"}", true, user{"é"}},
		"UTF-8, as Node.js has it":   {`{"app.user":"{\"name\":\"é\"}"}`, true, user{"Ã©"}},
		"another id":                 {`{"app.users":"{}"}`, false, user{}},
		"another case":               {`{"APP.USER":"{}"}`, false, user{}},
		"of another type":            {`{"app.user":"[1]"}`, false, user{}},
		"half of it fits":            {`{"app.user":"{\"name\":\"Ann\",\"name\":5}"}`, false, user{}},
		"not a text":                 {`{"app.user":{"name":"Ann"}}`, false, user{}},
		"a number":                   {`{"app.user":1}`, false, user{}},
		"empty text":                 {`{"app.user":""}`, false, user{}},
		"two documents":              {`{"app.user":"{}{}"}`, false, user{}},
		"cut":                        {`{"app.user":"{}"`, false, user{}},
		"an array":                   {`["app.user"]`, false, user{}},
		"null at all":                {`null`, false, user{}},
		"a string":                   {`"app.user"`, false, user{}},
		"empty":                      {``, false, user{}},
		"deep":                       {strings.Repeat(`{"app.user":`, 20_000), false, user{}},
		"deep inside":                {`{"app.user":"` + strings.Repeat(`[`, 20_000) + `"}`, false, user{}},
	} {
		t.Run(name, func(t *testing.T) {
			withContexts(t, nil, []string{c.header}, func(ctx context.Context) {
				got, ok := standalone.ContextValue[user](ctx, "app.user")
				assert.Equal(t, c.ok, ok)
				assert.Equal(t, c.want, got)
			})
		})
	}
	t.Run("sent twice", func(t *testing.T) {
		withContexts(t, nil, []string{`{"app.user":"{}"}`, `{}`}, func(ctx context.Context) {
			_, ok := standalone.ContextValue[user](ctx, "app.user")
			assert.False(t, ok)
		})
	})
	t.Run("other types", func(t *testing.T) {
		withContexts(t, nil, []string{`{"n":"5","list":"[1,2]","text":"T:acme"}`}, func(ctx context.Context) {
			n, ok := standalone.ContextValue[int](ctx, "n")
			assert.True(t, ok)
			assert.Equal(t, 5, n)
			list, ok := standalone.ContextValue[[]any](ctx, "list")
			assert.True(t, ok)
			assert.Equal(t, []any{1.0, 2.0}, list)
			text, ok := standalone.RawContextValue(ctx, "text")
			assert.True(t, ok)
			assert.Equal(t, "T:acme", text)
			_, ok = standalone.RawContextValue(ctx, "none")
			assert.False(t, ok)
		})
	})
	t.Run("not sent", func(t *testing.T) {
		withContexts(t, nil, nil, func(ctx context.Context) {
			_, ok := standalone.ContextValue[any](ctx, "app.user")
			assert.False(t, ok)
		})
		_, ok := standalone.ContextValue[any](t.Context(), "app.user")
		assert.False(t, ok, "outside of a handler")
	})
}

// shouting is a dialect whose documents are in capital letters.
type shouting struct{}

func (shouting) Marshal(any) ([]byte, error) { return []byte("NULL"), nil }

func (shouting) Unmarshal(data []byte, v any) error {
	if data == nil {
		return nil
	}
	return json.Unmarshal([]byte(strings.ToLower(string(data))), v)
}

func TestContextValueInADialect(t *testing.T) {
	withContexts(t, shouting{}, []string{`{"APP.USER":"{\"NAME\":\"ANN\"}"}`}, func(ctx context.Context) {
		got, ok := standalone.ContextValue[user](ctx, "app.user")
		assert.True(t, ok)
		assert.Equal(t, user{"ann"}, got)
		_, ok = standalone.ContextValue[int](ctx, "app.user")
		assert.False(t, ok)
	})
}
