package tunnel_test

import (
	"context"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	tunnel "github.com/bluelibs/go-tunnel"
)

// perhapsInFront puts a Front before a server if the tests are run with FRONT=1, so that all
// of them hold for both.
func perhapsInFront(t testing.TB, server *httptest.Server, handler *tunnel.Handler) {
	if os.Getenv("FRONT") != "" {
		inFront(t, server, handler)
	}
}

// inFront puts a Front before a server that is not started yet.
func inFront(t testing.TB, server *httptest.Server, handler *tunnel.Handler) {
	front := handler.Listen(server.Listener, server.Config)
	server.Listener = front
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), hang)
		defer cancel()
		assert.NoError(t, front.Shutdown(ctx))
		assert.Zero(t, front.Stats().Connections)
	})
}
