package tunnel_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

// An answer without a result, as servers of Runner 4 have it.
func TestVoid(t *testing.T) {
	registry := standalone.NewRegistry()
	void := func(context.Context, *protocol.Call) (*protocol.Reply, error) {
		return &protocol.Reply{Void: true}, nil
	}
	registry.HandleTask("void", void)
	registry.HandleEvent("void", void)
	registry.HandleTask("value", func(context.Context, *protocol.Call) (*protocol.Reply, error) {
		return &protocol.Reply{Void: true, Value: []byte("1")}, nil
	})
	handler := tunnel.New(registry, tunnel.Config{Tokens: []string{"secret"}, Logger: testapp.Quiet})
	assert.Equal(t, `{"ok":true}`, testapp.Send(t, handler, "/task/void", "").Body.String())
	assert.Equal(t, `{"ok":true}`, testapp.Send(t, handler, "/event/void", `{"returnPayload":true}`).Body.String())
	assert.Equal(t, `{"ok":true,"result":1}`, testapp.Send(t, handler, "/task/value", "").Body.String())
}
