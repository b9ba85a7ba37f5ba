#!/usr/bin/env bash
# Go 1.26.8, net/http, the client's HTTP/2.
#
# A client streams a request's body and reads the answer at the same time. It cancels the
# request's context while the body's Read waits for more to send (an io.Pipe, another
# connection). Over HTTP/1.1 the connection is closed at once. Over HTTP/2 nothing happens:
# no RST_STREAM is sent, the server goes on, and the client's own Read of the answer does
# not return either, until the body's Read does. So a context with a timeout does not
# bound such a call.
#
# Seen, one second after the cancel:
#   HTTP/1.1  the server's request context is done, the client's Read has returned
#   HTTP/2    neither; both as soon as the body's Read returns
#
# What follows: duplex calls over HTTP/2 outlive their callers. Close the body yourself when
# the context ends: context.AfterFunc(ctx, func() { pipe.CloseWithError(ctx.Err()) }).
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOTOOLCHAIN=go1.26.8

cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"time"
)

const patience = time.Second

// within says whether something happens in time.
func within[T any](happened <-chan T) bool {
	select {
	case <-happened:
		return true
	case <-time.After(patience):
		return false
	}
}

type outcome struct{ server, client bool }

// cancel says who learns of a cancelled call: at once, and once the body's Read returns.
func cancel(http2 bool) (atOnce, later outcome) {
	serverKnows, clientKnows := make(chan struct{}), make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		controller := http.NewResponseController(w)
		controller.EnableFullDuplex()
		w.WriteHeader(http.StatusOK)
		check(controller.Flush())
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		close(serverKnows)
	}))
	server.EnableHTTP2 = http2
	server.StartTLS()
	defer server.Close()

	ctx, stop := context.WithCancel(context.Background())
	body, pipe := io.Pipe()
	go pipe.Write([]byte("first"))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, body)
	check(err)
	response, err := server.Client().Do(request)
	check(err)
	go func() {
		io.Copy(io.Discard, response.Body)
		close(clientKnows)
	}()
	stop()
	atOnce = outcome{within(serverKnows), within(clientKnows)}
	pipe.CloseWithError(ctx.Err())
	later = outcome{within(serverKnows), within(clientKnows)}
	return atOnce, later
}

func main() {
	yes, no := outcome{true, true}, outcome{}
	changed := false
	for version, want := range map[string]outcome{"HTTP/1.1": yes, "HTTP/2": no} {
		atOnce, later := cancel(version == "HTTP/2")
		fmt.Printf("%-8s server and client know at once: %v, once the body's Read returns: %v\n", version, atOnce, later)
		changed = changed || atOnce != want || later != yes
	}
	if changed {
		fmt.Println("CHANGED: the outcomes above are no longer those in the script's header")
		os.Exit(1)
	}
	fmt.Println("As described: over HTTP/2 a cancelled call goes on while its body is waited for.")
}

func check(err error) {
	if err != nil {
		fmt.Println("unexpected error:", err)
		os.Exit(1)
	}
}
GO
go mod init finding >log 2>&1
go build -o finding . >>log 2>&1 || { cat log; exit 2; }
timeout 60 ./finding
