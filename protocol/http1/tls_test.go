package http1_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol/http1"
	"github.com/bluelibs/go-tunnel/protocol/serve"
)

// TLS, with or without HTTP/2, is the server's, on both sides of a Front.
func TestTLSIsHandedOver(t *testing.T) {
	h := handler(func(x serve.Exchange, r *http.Request) {
		if assert.NotNil(t, r.TLS) {
			echo(x, r)
		}
	})
	for name, http2 := range map[string]bool{"HTTP1": false, "HTTP2": true} {
		for _, outside := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				server := httptest.NewUnstartedServer(h)
				server.EnableHTTP2 = http2
				var front *http1.Front
				if outside { // TLS is above the listener
					front = http1.Listen(server.Listener, h, server.Config)
					server.Listener = front
				}
				server.StartTLS()
				t.Cleanup(server.Close)
				if !outside {
					ln := tls.NewListener(newListener(t), server.TLS)
					front = http1.Listen(ln, h, server.Config)
					go server.Config.Serve(front)
				}
				t.Cleanup(func() { assert.NoError(t, errors.Join(front.Shutdown(context.Background()), front.Close())) })
				res, err := server.Client().Post("https://"+front.Addr().String()+"/plain/x", "application/json", strings.NewReader("1"))
				require.NoError(t, err)
				defer res.Body.Close()
				body, err := io.ReadAll(res.Body)
				require.NoError(t, err)
				assert.Equal(t, "/plain/x 1", string(body))
				assert.Equal(t, "no", res.Header.Get("Front"))
				assert.Equal(t, http2, res.ProtoMajor == 2)
				assert.Equal(t, int64(1), front.Stats().HandedOver)
				server.Client().CloseIdleConnections()
			})
		}
	}
}
