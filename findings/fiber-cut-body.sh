#!/usr/bin/env bash
# github.com/gofiber/fiber/v3 v3.1.0 with github.com/valyala/fasthttp v1.78.0.
#
# With fiber.Config{StreamRequestBody: true} a handler runs before a chunked body is there.
# If the connection then ends inside the body, c.Body() has no error to return, and returns
# the text of the error as if it were the body: the 14 bytes "unexpected EOF". So does
# adaptor.HTTPHandler to handlers of net/http: r.Body reads "unexpected EOF" and then io.EOF,
# with r.ContentLength 14. (Without StreamRequestBody, and with a Content-Length of 100,000,
# the handler does not run at all: 400 Bad Request.) With fasthttp v1.69.0, which Fiber
# v3.1.0 asks for itself, a body cut between two chunks is even taken for a whole one.
#
# Seen, of "hello" in one chunk, and "wo" of another when the connection ends:
#   c.Body()                      "unexpected EOF", answered with 200
#   r.Body of a net/http handler  "unexpected EOF", no error, answered with 200
#   net/http's own server         "hellowo", unexpected EOF
#
# What follows: an upload that breaks off is stored, as a file with two words of English in
# it, and the caller is told that all is well. Read c.Request().BodyStream() in native
# handlers; for adapted ones leave StreamRequestBody off.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat >main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
)

func main() {
	bodies := make(chan string, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		bodies <- fmt.Sprintf("%q %v", body, err)
	})
	native := func(c fiber.Ctx) error {
		bodies <- fmt.Sprintf("%q", c.Body())
		return nil
	}

	// cut sends a body that ends inside its second chunk, and says what the handler read
	// and what the first line of the answer is.
	cut := func(listener net.Listener, path string) string {
		client, err := net.Dial("tcp", listener.Addr().String())
		check(err)
		defer client.Close()
		check(client.SetDeadline(time.Now().Add(10 * time.Second)))
		fmt.Fprintf(client, "POST %s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwo", path)
		check(client.(*net.TCPConn).CloseWrite())
		answer, err := io.ReadAll(client)
		check(err)
		line, _, _ := strings.Cut(string(answer), "\r\n")
		select {
		case body := <-bodies:
			return fmt.Sprintf("%s, answered %q", body, line)
		default:
			return fmt.Sprintf("handler not called, answered %q", line)
		}
	}

	changed := false
	expect := func(name, got, want string) {
		fmt.Printf("%-30s %s\n", name, got)
		changed = changed || !strings.HasPrefix(got, want)
	}
	for _, streamed := range []bool{false, true} {
		app := fiber.New(fiber.Config{StreamRequestBody: streamed})
		app.Post("/native", native)
		app.Post("/adapted", adaptor.HTTPHandler(handler))
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		check(err)
		go app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true})
		if streamed {
			expect("c.Body()", cut(listener, "/native"), `"unexpected EOF", answered "HTTP/1.1 200`)
			expect("r.Body of a net/http handler", cut(listener, "/adapted"), `"unexpected EOF" <nil>, answered "HTTP/1.1 200`)
		} else {
			expect("not streamed", cut(listener, "/native"), `handler not called, answered "HTTP/1.1 400`)
		}
		check(app.Shutdown())
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	standard := &http.Server{Handler: handler}
	go standard.Serve(listener)
	expect("net/http's own server", cut(listener, "/"), `"hellowo" unexpected EOF`)
	check(standard.Close())

	if changed {
		fmt.Println("CHANGED: the bodies above are no longer those in the script's header")
		os.Exit(1)
	}
	fmt.Println("As described: the text of an error takes the place of a body that is cut.")
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
