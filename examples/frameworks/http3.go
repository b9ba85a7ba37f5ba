package frameworks

import (
	"crypto/tls"
	"net/http"

	"github.com/quic-go/quic-go/http3"
)

// HTTP3 returns a server that speaks HTTP/3. Serve it on a UDP port.
func HTTP3(tunnel http.Handler, certificates *tls.Config) *http3.Server {
	return &http3.Server{Handler: tunnel, TLSConfig: http3.ConfigureTLSConfig(certificates)}
}
