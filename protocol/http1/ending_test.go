package http1_test

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol/http1"
	"github.com/bluelibs/go-tunnel/protocol/serve"
)

// A handler that ends its goroutine ends the connection, as with net/http.
func TestHandlersThatEndTheirGoroutine(t *testing.T) { overBoth(t, testHandlersThatEndTheirGoroutine) }

func testHandlersThatEndTheirGoroutine(t *testing.T) {
	ended := make(chan context.Context, 1)
	s := start(t, func(x serve.Exchange, r *http.Request) {
		if r.RequestURI == "/plain/exit" {
			ended <- r.Context()
			runtime.Goexit()
		}
		echo(x, r)
	}, nil)
	c, other := dial(t, s), dial(t, s)
	require.NoError(t, c.SetDeadline(time.Now().Add(5*time.Second)))
	c.send(t, post("/plain/exit", ""))
	rest, err := io.ReadAll(c)
	assert.NoError(t, err, "the connection ends")
	assert.Empty(t, rest)
	<-(<-ended).Done()
	other.send(t, post("/plain/x", "1"))
	other.expect(t, "yes", "/plain/x 1")
}

// asking is a handler that waits while it is asked about a request.
type asking struct {
	handler
	asked, answer chan struct{}
}

func (a asking) Plain(*http.Request) bool {
	a.asked <- struct{}{}
	<-a.answer
	return false
}

// What Shutdown has closed is not handed over.
func TestClosedConnectionsAreNotHandedOver(t *testing.T) {
	h := asking{echo, make(chan struct{}), make(chan struct{})}
	front := http1.Listen(newListener(t), h, nil)
	defer front.Close()
	c := dial(t, &served{front: front})
	c.send(t, post("/plain/x", "1"))
	<-h.asked
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, front.Shutdown(ctx), context.Canceled)
	close(h.answer)
	_, _ = io.ReadAll(c)
	ctx, cancel = context.WithTimeout(context.Background(), hang)
	defer cancel()
	require.NoError(t, front.Shutdown(ctx))
	assert.Zero(t, front.Stats().HandedOver)
}

// An informational status is no answer: the next one would be taken for this request's.
func TestInformationalStatus(t *testing.T) {
	c := dial(t, start(t, func(x serve.Exchange, r *http.Request) {
		x.Header().Set("Content-Length", "10")
		x.WriteHeader(http.StatusEarlyHints)
		x.WriteHeader(http.StatusProcessing)
		echo(x, r)
	}, nil))
	for _, body := range []string{"1", "2"} {
		c.send(t, post("/plain/x", body))
		res, got := c.answer(t)
		assert.Equal(t, http.StatusOK, res.StatusCode)
		assert.Equal(t, "/plain/x "+body, got)
	}
}
