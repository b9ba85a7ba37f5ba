#!/usr/bin/env bash
# github.com/gofiber/fiber/v3 v3.1.0 with github.com/valyala/fasthttp v1.78.0.
#
# adaptor.HTTPHandler runs a handler of net/http inside Fiber; its documentation says that
# such handlers "run with standard library semantics". The context of their requests is
# fasthttp's own, though, which ends when the server shuts down and not when the caller
# leaves: the socket is not watched while a handler runs. Done() is a real channel, so
# nothing shows that it will stay silent. Only a Write after the caller has left fails.
#
# Seen, one second after the client has closed its connection:
#   net/http  context canceled
#   fiber     nil, of a *fasthttp.RequestCtx
#
# What follows: behind Fiber, work for callers who have left goes on to its end: queries,
# calls to other services with r.Context(), queues that drop who has left. Set deadlines of
# your own, or mount such handlers beside Fiber, on net/http.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat >main.go <<'GO'
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
)

const patience = time.Second

func main() {
	started, outcome := make(chan struct{}), make(chan error)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-time.After(patience):
		}
		fmt.Printf("%T: %v\n", r.Context(), r.Context().Err())
		outcome <- r.Context().Err()
	})

	// left says what the context of a request is after its client has gone.
	left := func(listener net.Listener) error {
		client, err := net.Dial("tcp", listener.Addr().String())
		check(err)
		fmt.Fprint(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		<-started
		check(client.Close())
		return <-outcome
	}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	standard := &http.Server{Handler: handler}
	go standard.Serve(listener)
	ofStandard := left(listener)
	check(standard.Close())

	listener, err = net.Listen("tcp", "127.0.0.1:0")
	check(err)
	app := fiber.New()
	app.Get("/", adaptor.HTTPHandler(handler))
	go app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true})
	ofFiber := left(listener)
	check(app.Shutdown())

	if ofStandard == nil || ofFiber != nil {
		fmt.Println("CHANGED: the contexts above are no longer those in the script's header")
		os.Exit(1)
	}
	fmt.Println("As described: Fiber does not end a request's context when its caller leaves.")
}

func check(err error) {
	if err != nil {
		fmt.Println("unexpected error:", err)
		os.Exit(1)
	}
}
GO
go mod init finding >log 2>&1
go get github.com/gofiber/fiber/v3/middleware/adaptor@v3.1.0 github.com/valyala/fasthttp@v1.78.0 >>log 2>&1 || { cat log; exit 2; }
go build -o finding . >>log 2>&1 || { cat log; exit 2; }
timeout 60 ./finding
