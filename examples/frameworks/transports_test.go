package frameworks

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	tunnel "github.com/bluelibs/go-tunnel"
)

// server is one that listens, and a caller of it.
type server struct {
	url    string
	caller http.RoundTripper
	cancel context.CancelFunc // ends the context of every request
	close  func()             // ends all connections at once
	log    *output            // what the server itself has said
}

// transports are the ways to reach a handler.
var transports = []struct {
	name  string
	serve func(*testing.T, http.Handler) *server
}{
	{"HTTP 1.0", func(t *testing.T, h http.Handler) *server {
		s := serveTCP(t, &http.Server{Handler: h}, nil)
		s.caller = http10{}
		return s
	}},
	{"HTTP 1.1", func(t *testing.T, h http.Handler) *server { return serveTCP(t, &http.Server{Handler: h}, nil) }},
	{"HTTP 2", func(t *testing.T, h http.Handler) *server {
		return serveTCP(t, &http.Server{Handler: h}, certificates(t))
	}},
	{"h2c", func(t *testing.T, h http.Handler) *server {
		s := serveTCP(t, H2C(h), nil)
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
		transport := &http.Transport{Protocols: protocols}
		t.Cleanup(transport.CloseIdleConnections)
		s.caller = transport
		return s
	}},
	{"HTTP 3", serveUDP},
}

// base returns the context of all requests of a test.
func base(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(cancel)
	return ctx, cancel
}

// serveTCP serves HTTP/1.1, and HTTP/2 if there are certificates.
func serveTCP(t *testing.T, inner *http.Server, certificates *tls.Config) *server {
	t.Helper()
	ctx, cancel := base(t)
	log := new(output)
	inner.BaseContext = func(net.Listener) context.Context { return ctx }
	inner.ErrorLog = newLog(log)
	inner.ConnContext = tunnel.ConnContext // for HTTP/1.0
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	scheme, serve := "http", inner.Serve
	transport := &http.Transport{ForceAttemptHTTP2: true}
	if certificates != nil {
		scheme, serve = "https", func(l net.Listener) error { return inner.ServeTLS(l, "", "") }
		inner.TLSConfig = certificates.Clone()
		transport.TLSClientConfig = &tls.Config{RootCAs: certificates.ClientCAs, ServerName: "example.com"}
	}
	served := make(chan error, 1)
	go func() { served <- serve(listener) }()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		assert.NoError(t, inner.Close())
		assert.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	return &server{
		url:    scheme + "://" + listener.Addr().String(),
		caller: transport,
		cancel: cancel,
		close:  func() { assert.NoError(t, inner.Close()) },
		log:    log,
	}
}

func serveUDP(t *testing.T, h http.Handler) *server {
	t.Helper()
	ctx, cancel := base(t)
	certificates := certificates(t)
	listener, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	inner := HTTP3(h, certificates)
	inner.ConnContext = func(conn context.Context, _ *quic.Conn) context.Context {
		conn, cancel := context.WithCancel(conn)
		context.AfterFunc(ctx, cancel)
		return conn
	}
	served := make(chan error, 1)
	go func() { served <- inner.Serve(listener) }()
	transport := &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: certificates.ClientCAs, ServerName: "example.com"}}
	t.Cleanup(func() {
		assert.NoError(t, transport.Close())
		assert.NoError(t, inner.Close())
		assert.ErrorIs(t, <-served, http.ErrServerClosed)
		assert.NoError(t, listener.Close())
	})
	return &server{
		url:    "https://" + listener.LocalAddr().String(),
		caller: transport,
		cancel: cancel,
		close:  func() { assert.NoError(t, inner.Close()) },
		log:    new(output),
	}
}

// certificates are those of net/http/httptest, for example.com.
func certificates(t *testing.T) *tls.Config {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates, ClientCAs: roots}
}

// http10 makes a call over a connection of its own, whose end is the end of the body.
type http10 struct{}

func (http10) RoundTrip(r *http.Request) (*http.Response, error) {
	conn, err := net.DialTimeout("tcp", r.URL.Host, 10*time.Second)
	if err != nil {
		return nil, err
	}
	var request strings.Builder
	request.WriteString(r.Method + " " + r.URL.RequestURI() + " HTTP/1.0\r\nHost: " + r.URL.Host + "\r\nContent-Length: 0\r\n")
	_ = r.Header.Write(&request)
	request.WriteString("\r\n")
	if _, err = io.WriteString(conn, request.String()); err == nil {
		var res *http.Response
		if res, err = http.ReadResponse(bufio.NewReader(conn), r); err == nil {
			res.Body = struct {
				io.Reader
				io.Closer
			}{res.Body, conn}
			return res, nil
		}
	}
	_ = conn.Close()
	return nil, err
}
