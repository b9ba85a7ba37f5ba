package frameworks

import (
	"net/http"
	"time"
)

// H2C returns a server that speaks HTTP/1.1, and HTTP/2 without TLS, on the same port.
func H2C(tunnel http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{Handler: tunnel, Protocols: protocols, ReadHeaderTimeout: 10 * time.Second}
}
