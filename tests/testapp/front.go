package testapp

import (
	"context"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	tunnel "github.com/bluelibs/go-tunnel"
)

// PerhapsInFront puts a Front before a server if the tests are run with FRONT=1, so that all
// of them hold for both.
func PerhapsInFront(t testing.TB, server *httptest.Server, handler *tunnel.Handler) {
	if os.Getenv("FRONT") != "" {
		InFront(t, server, handler)
	}
}

// InFront puts a Front before a server that is not started yet.
func InFront(t testing.TB, server *httptest.Server, handler *tunnel.Handler) {
	front := handler.Listen(server.Listener, server.Config)
	server.Listener = front
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		assert.NoError(t, front.Shutdown(ctx))
		assert.Zero(t, front.Stats().Connections)
	})
}
