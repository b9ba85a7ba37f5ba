#!/usr/bin/env bash
# github.com/quic-go/quic-go v0.65.0, package http3, the server.
#
# A handler streams an answer and has to break it off half-way, so that the client does not
# take the half for the whole. Over HTTP/1.1 and HTTP/2 a write deadline in the past does
# that (http.ResponseController.SetWriteDeadline): net/http cuts the connection or resets
# the stream when the handler returns. Over HTTP/3 the same calls return nil and do
# nothing: the stream ends in the regular way, and the client reads a complete answer with
# status 200 and without an error. A Flush after the deadline returns nil too. Only a Write
# of at least one byte that fails at the deadline makes the server reset the stream.
#
# Seen:
#   deadline            200 "first" <nil>
#   deadline and Flush  200 "first" <nil>
#   deadline and Write  H3_REQUEST_CANCELLED
#   HTTP/2, deadline    200 "first" stream error
#
# What follows: who serves streams over HTTP/3 and relies on a deadline, a timeout or
# middleware that recovers panics to break them off, delivers truncated answers as whole
# ones. Set the deadline, then write a byte; or panic with http.ErrAbortHandler where
# nothing recovers it.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat >main.go <<'GO'
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/quic-go/quic-go/http3"
)

func handle(w http.ResponseWriter, r *http.Request) {
	c := http.NewResponseController(w)
	io.WriteString(w, "first")
	check(c.Flush())
	check(c.SetWriteDeadline(time.Now().Add(-time.Second)))
	switch r.URL.Path {
	case "/flush":
		check(c.Flush())
	case "/write":
		w.Write([]byte("x"))
	}
}

func check(err error) {
	if err != nil {
		fmt.Println("unexpected error:", err)
		os.Exit(1)
	}
}

func main() {
	// The server of HTTP/2 lends its certificate to the one of HTTP/3.
	h2 := httptest.NewUnstartedServer(http.HandlerFunc(handle))
	h2.EnableHTTP2 = true
	h2.StartTLS()
	defer h2.Close()
	pool := x509.NewCertPool()
	pool.AddCert(h2.Certificate())

	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	check(err)
	h3 := &http3.Server{
		Handler:   http.HandlerFunc(handle),
		TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: h2.TLS.Certificates}),
	}
	go h3.Serve(socket)
	defer h3.Close()
	transport := &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.Close()

	failed := false
	expect := func(name string, client *http.Client, url string, cut bool) {
		client.Timeout = 10 * time.Second
		// A reset may overtake the head.
		got := "no answer"
		response, err := client.Get(url)
		if err == nil {
			var body []byte
			body, err = io.ReadAll(response.Body)
			response.Body.Close()
			got = fmt.Sprintf("%d %q", response.StatusCode, body)
		}
		fmt.Printf("%-20s %s %v\n", name, got, err)
		if (err != nil) != cut || !cut && got != `200 "first"` {
			failed = true
		}
	}
	over3 := &http.Client{Transport: transport}
	url := "https://" + socket.LocalAddr().String()
	expect("deadline", over3, url, false)
	expect("deadline and Flush", over3, url+"/flush", false)
	expect("deadline and Write", over3, url+"/write", true)
	expect("HTTP/2, deadline", h2.Client(), h2.URL, true)
	if failed {
		fmt.Println("CHANGED: the table above is no longer the one in the script's header")
		os.Exit(1)
	}
	fmt.Println("As described: over HTTP/3 a write deadline alone does not break off an answer.")
}
GO
go mod init finding >log 2>&1
go get github.com/quic-go/quic-go/http3@v0.65.0 >>log 2>&1 || { cat log; exit 2; }
go build -o finding . >>log 2>&1 || { cat log; exit 2; }
timeout 60 ./finding
