#!/usr/bin/env bash
# github.com/quic-go/quic-go v0.65.0, package http3, the server.
#
# A client breaks off a request whose body it has not sent to the end. The handler, which
# reads that body, gets an error of Read. Handlers then ask r.Context() whether the caller
# has left (499, nobody to answer, nothing to log) or the body is broken (400, 500). With
# net/http's own server the context is done by then over HTTP/2. With quic-go it need not
# be: Read fails at RESET_STREAM, the context ends at STOP_SENDING, which is another frame
# and comes later, or not at all from a client that resets its own direction only.
#
# Seen, of 40 requests each, "context done when Read fails":
#   HTTP/2, client cancels           40 of 40
#   HTTP/3, client cancels            0 to 12 of 40, and all of them a moment later
#   HTTP/3, client resets its body    0 of 40, and none a quarter of a second later
#
# What follows: over HTTP/3 do not tell callers who leave from broken bodies by r.Context()
# alone. *http3.Error with code H3_REQUEST_CANCELLED from Read is the sign; it wraps nothing
# of the standard library, and so neither errors.Is(err, context.Canceled) nor
# io.ErrUnexpectedEOF finds it.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat >main.go <<'GO'
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

const rounds = 40

type outcome struct {
	atOnce, later bool
	err           error
}

var outcomes = make(chan outcome)

func handle(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	http.NewResponseController(w).Flush()
	_, err := io.Copy(io.Discard, r.Body)
	o := outcome{err: err, atOnce: r.Context().Err() != nil}
	select {
	case <-r.Context().Done():
		o.later = true
	case <-time.After(wait):
	}
	outcomes <- o
}

var wait = time.Second

func check(err error) {
	if err != nil {
		fmt.Println("unexpected error:", err)
		os.Exit(1)
	}
}

// leave sends a part of a body, takes the head of the answer, and cancels.
func leave(transport http.RoundTripper, url string) {
	ctx, cancel := context.WithCancel(context.Background())
	body, pipe := io.Pipe()
	go pipe.Write(make([]byte, 100))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	check(err)
	_, err = transport.RoundTrip(request)
	check(err)
	cancel()
	pipe.CloseWithError(context.Canceled)
}

// reset sends a part of a body, takes the head of the answer, and resets its own direction.
func reset(transport *http3.Transport, url string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	// OpenRequestStream's own way to send a body wants a request without one, and a method
	// for which that does not mean a Content-Length of 0.
	request, err := http.NewRequestWithContext(ctx, "QUERY", url, nil)
	check(err)
	connection, err := quic.DialAddr(ctx, request.URL.Host, transport.TLSClientConfig, nil)
	check(err)
	client := transport.NewClientConn(connection)
	stream, err := client.OpenRequestStream(ctx)
	check(err)
	check(stream.SendRequestHeader(request))
	_, err = stream.Write(make([]byte, 100))
	check(err)
	_, err = stream.ReadResponse()
	check(err)
	stream.CancelWrite(quic.StreamErrorCode(http3.ErrCodeRequestCanceled))
	last = func() { connection.CloseWithError(0, "") }
}

var last = func() {}

func main() {
	h2 := httptest.NewUnstartedServer(http.HandlerFunc(handle))
	h2.EnableHTTP2 = true
	h2.StartTLS()
	pool := x509.NewCertPool()
	pool.AddCert(h2.Certificate())

	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	check(err)
	h3 := &http3.Server{
		Handler:   http.HandlerFunc(handle),
		TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: h2.TLS.Certificates}),
	}
	go h3.Serve(socket)
	url := "https://" + socket.LocalAddr().String()
	transport := &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, NextProtos: []string{http3.NextProtoH3}}}

	count := func(name string, n int, request func()) (atOnce, later int) {
		for range n {
			request()
			o := <-outcomes
			if o.err == nil || errors.Is(o.err, context.Canceled) || errors.Is(o.err, io.ErrUnexpectedEOF) {
				fmt.Println("CHANGED: Read returned", o.err)
				os.Exit(1)
			}
			if o.atOnce {
				atOnce++
			}
			if o.later {
				later++
			}
			last()
			last = func() {}
		}
		fmt.Printf("%-32s context done when Read fails: %d of %d, soon after: %d\n", name, atOnce, n, later)
		return atOnce, later
	}
	h2AtOnce, _ := count("HTTP/2, client cancels", rounds, func() { leave(h2.Client().Transport, h2.URL) })
	_, h3Later := count("HTTP/3, client cancels", rounds, func() { leave(transport, url) })
	wait = 250 * time.Millisecond
	resetAtOnce, resetLater := count("HTTP/3, client resets its body", rounds, func() { reset(transport, url) })
	transport.Close()
	h3.Close()
	h2.CloseClientConnections()
	h2.Close()
	// How many requests of the second kind are done at once is a matter of luck.
	if h2AtOnce != rounds || h3Later != rounds || resetAtOnce+resetLater != 0 {
		fmt.Println("CHANGED: the counts above are no longer those in the script's header")
		os.Exit(1)
	}
	fmt.Println("As described: over HTTP/3 the body fails before the context is done, if that ever is.")
}
GO
go mod init finding >log 2>&1
go get github.com/quic-go/quic-go/http3@v0.65.0 >>log 2>&1 || { cat log; exit 2; }
go build -o finding . >>log 2>&1 || { cat log; exit 2; }
timeout 120 ./finding
