package tunnel_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/protocoltest"
	"github.com/bluelibs/go-tunnel/standalone"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

// part is an executor that answers its name and lists what it is told to.
type part struct {
	name string
	list atomic.Pointer[protocol.AllowList]
}

func newPart(name string, tasks, events []string) *part {
	p := &part{name: name}
	p.list.Store(protocol.NewAllowList(tasks, events))
	return p
}

func (p *part) Execute(context.Context, *protocol.Call) (*protocol.Reply, error) {
	return &protocol.Reply{Value: []byte(`"` + p.name + `"`)}, nil
}

func (p *part) List() *protocol.AllowList { return p.list.Load() }

func TestRoute(t *testing.T) {
	first := newPart("first", []string{"both", "a"}, []string{"e"})
	second := newPart("second", []string{"b", "both", "e"}, nil)
	router := tunnel.Route(first, second)
	ran := func(kind protocol.Kind, id string) string {
		reply, err := router.Execute(t.Context(), &protocol.Call{Kind: kind, ID: id})
		assert.NoError(t, err)
		return string(reply.Value)
	}
	assert.Equal(t, `"first"`, ran(protocol.KindTask, "a"))
	assert.Equal(t, `"first"`, ran(protocol.KindTask, "both"), "the first one wins")
	assert.Equal(t, `"second"`, ran(protocol.KindTask, "b"))
	assert.Equal(t, `"first"`, ran(protocol.KindEvent, "e"))
	assert.Equal(t, `"second"`, ran(protocol.KindTask, "e"))
	assert.Equal(t, `"second"`, ran(protocol.KindTask, "of nobody"), "the last one has the rest")

	const discovery = `{"allowList":{"enabled":true,"tasks":["a","both","b","e"],"events":["e"]}}`
	assert.JSONEq(t, discovery, string(router.List().Discovery()))
	assert.Same(t, router.List(), router.List(), "it is not made again")
	assert.Zero(t, testing.AllocsPerRun(100, func() { router.List() }))

	second.list.Store(protocol.NewAllowList([]string{"new"}, nil))
	assert.JSONEq(t, `{"allowList":{"enabled":true,"tasks":["a","both","new"],"events":["e"]}}`, string(router.List().Discovery()))
	second.list.Store(nil)
	assert.JSONEq(t, `{"allowList":{"enabled":true,"tasks":["a","both"],"events":["e"]}}`, string(router.List().Discovery()))
	first.list.Store(nil)
	assert.Nil(t, router.List())
}

func TestRouteOfExecutorsThatDoNotList(t *testing.T) {
	unlisted := func(name string) tunnel.Executor {
		return tunnel.ExecutorFunc(func(context.Context, *protocol.Call) (*protocol.Reply, error) {
			return &protocol.Reply{Value: []byte(`"` + name + `"`)}, nil
		})
	}
	router := tunnel.Route(unlisted("a"), newPart("b", []string{"b"}, nil), unlisted("c"))
	for id, want := range map[string]string{"b": `"b"`, "x": `"c"`} {
		reply, err := router.Execute(t.Context(), &protocol.Call{ID: id})
		assert.NoError(t, err)
		assert.Equal(t, want, string(reply.Value))
	}
	assert.Equal(t, []string{"b"}, router.List().IDs(protocol.KindTask))
	assert.Nil(t, tunnel.Route(unlisted("a")).List())
	assert.Panics(t, func() { tunnel.Route(nil) })
	assert.Panics(t, func() { tunnel.Route(unlisted("a"), nil) })
}

// A hybrid of Go and Node.js is one server to its callers.
func TestHybrid(t *testing.T) {
	registry := standalone.NewRegistry()
	standalone.Task(registry, "go.tasks.upper", func(_ context.Context, in string) (string, error) { return in + "!", nil })
	standalone.Task(registry, "app.tasks.greet", func(context.Context, any) (string, error) { return "from Go", nil })
	handler := tunnel.New(tunnel.Route(registry, testapp.Executors["module"](t)), tunnel.Config{Tokens: []string{"secret"}, Logger: testapp.Quiet})
	for path, c := range map[string]struct{ body, want string }{
		"/task/go.tasks.upper":     {`"hi"`, `{"ok":true,"result":"hi!"}`},
		"/task/app.tasks.greet":    {`{"name":"Ada"}`, `{"ok":true,"result":"from Go"}`},
		"/task/app.tasks.add":      {`{"a":5,"b":3}`, `{"ok":true,"result":8}`},
		"/event/app.events.rename": {`{"payload":{"name":"ada"},"returnPayload":true}`, `{"ok":true,"result":{"name":"ADA"}}`},
		"/task/app.tasks.unknown":  {``, `{"ok":false,"error":{"message":"Task app.tasks.unknown not exposed","code":"FORBIDDEN"}}`},
	} {
		assert.Equal(t, c.want, testapp.Send(t, handler, path, c.body).Body.String(), path)
	}
	found := testapp.Send(t, handler, "/discovery", "")
	assert.Equal(t, http.StatusOK, found.Code)
	assert.Contains(t, found.Body.String(), `"app.tasks.greet","go.tasks.upper",`)
	assert.Contains(t, found.Body.String(), `"app.tasks.add"`)
}

func TestRouteAndCheckKeepTheContract(t *testing.T) {
	protocoltest.RunExecutor(t, func(t *testing.T) protocoltest.Executor {
		check := tunnel.Check(func(context.Context, *protocol.Call) error { return nil })
		checkReply := tunnel.CheckReply(func(context.Context, *protocol.Call, *protocol.Reply) error { return nil })
		return check(checkReply(tunnel.Route(standalone.NewRegistry(), testapp.GoApp())))
	})
}
