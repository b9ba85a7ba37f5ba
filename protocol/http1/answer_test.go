package http1_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol/serve"
)

// header returns an answer that has a header and one piece of body.
func header(name string, values ...string) func(x serve.Exchange) {
	return func(x serve.Exchange) {
		x.Header()[name] = values
		_, _ = io.WriteString(x, "body")
	}
}

func status(code int) func(x serve.Exchange) {
	return func(x serve.Exchange) {
		x.WriteHeader(code)
		_, _ = x.Write([]byte("body"))
	}
}

func body(pieces ...int) func(x serve.Exchange) {
	return func(x serve.Exchange) {
		for i, size := range pieces {
			_, _ = x.Write(bytes.Repeat([]byte{'a' + byte(i)}, size))
		}
	}
}

func length(announced string, pieces ...int) func(x serve.Exchange) {
	return func(x serve.Exchange) {
		x.Header().Set("Content-Length", announced)
		body(pieces...)(x)
	}
}

var answers = map[string]func(x serve.Exchange){
	"nothing":            func(serve.Exchange) {},
	"empty":              func(x serve.Exchange) { _, _ = x.Write(nil) },
	"empty, then status": func(x serve.Exchange) { _, _ = x.Write(nil); x.WriteHeader(404) },
	"two statuses":       func(x serve.Exchange) { x.WriteHeader(404); x.WriteHeader(500) },
	"body, then status":  func(x serve.Exchange) { body(1)(x); x.WriteHeader(500) },
	"200":                status(200), "201": status(201), "204": status(204), "205": status(205), "304": status(304),
	"404": status(404), "418": status(418), "499": status(499), "500": status(500), "599": status(599), "999": status(999),
	"204 with fields": func(x serve.Exchange) {
		x.Header().Set("Content-Length", "4")
		x.Header().Set("Content-Type", "text/plain")
		x.WriteHeader(204)
	},
	"304 with fields": func(x serve.Exchange) {
		x.Header().Set("Content-Length", "4")
		x.Header().Set("Content-Type", "text/plain")
		x.Header().Set("Etag", `"x"`)
		x.WriteHeader(304)
	},
	"204, flushed":   func(x serve.Exchange) { x.WriteHeader(204); _ = x.Flush() },
	"1":              body(1),
	"2047 and 1":     body(2047, 1),
	"2048":           body(2048),
	"2049":           body(2049),
	"2048 and 1":     body(2048, 1),
	"100 and 3000":   body(100, 3000),
	"many":           body(1000, 1000, 1000, 5000, 3, 70000),
	"100000":         body(100000),
	"strings":        func(x serve.Exchange) { _, _ = io.WriteString(x, strings.Repeat("x", 3000)); _, _ = x.WriteString("y") },
	"length 0":       length("0"),
	"length 3":       length("3", 1, 2),
	"length 100000":  length("100000", 100000),
	"length 70003":   length("70003", 3, 70000),
	"length, less":   length("5", 3),
	"length, more":   length("5", 3, 3),
	"length, at all": length("5"),
	"length, flush":  func(x serve.Exchange) { length("5", 3)(x); _ = x.Flush(); body(2)(x) },
	"no length":      length("x", 3), "negative length": length("-1", 3), "signed length": length("+3", 3), "empty length": length("", 3),
	"flush":          func(x serve.Exchange) { _ = x.Flush() },
	"flush and body": func(x serve.Exchange) { _ = x.Flush(); body(5)(x) },
	"pieces": func(x serve.Exchange) {
		body(5)(x)
		_ = x.Flush()
		body(3, 4)(x)
		_ = x.Flush()
		_ = x.Flush()
		body(1)(x)
	},
	"date":          header("Date", "some day"),
	"no date":       header("Date"),
	"type":          header("Content-Type", "text/x"),
	"no type":       header("Content-Type"),
	"encoding":      header("Content-Encoding", "br"),
	"sniffed":       func(x serve.Exchange) { _, _ = x.WriteString("<html>") },
	"sniffed, long": func(x serve.Exchange) { body(3000)(x) },
	"connection":    header("Connection", "close"),
	"keep-alive":    header("X-Keep-Alive", "yes"),
	"several":       header("X-Several", "b", "a"),
	"no value":      header("X-Empty", ""),
	"lines":         header("X-Lines", "a\r\nX-Other: b", " c "),
	"odd name":      header("X Odd", "a"),
	"odd name, too": header("X-Odd:\r\nY", "a"),
	"lower case":    header("x-lower", "a"),
	"order": func(x serve.Exchange) {
		for _, name := range []string{"Z", "Vary", "Content-Type", "A", "Content-Length", "Date-2"} {
			x.Header().Set(name, "4")
		}
		_, _ = x.WriteString("body")
	},
	"changed afterwards": func(x serve.Exchange) {
		x.Header().Set("X-A", "1")
		_ = x.Flush()
		x.Header().Set("X-A", "2")
		body(2)(x)
	},
	"close after":       func(x serve.Exchange) { x.CloseAfter(); body(3)(x) },
	"close after 3":     func(x serve.Exchange) { length("3", 3)(x); x.CloseAfter() },
	"close after flush": func(x serve.Exchange) { length("3", 3)(x); _ = x.Flush(); x.CloseAfter() },
	"abort":             func(x serve.Exchange) { x.Abort(false) },
	"abort, held back":  func(x serve.Exchange) { body(3)(x); x.Abort(true) },
	"abort, begun":      func(x serve.Exchange) { body(3000)(x); x.Abort(true) },
	"abort, flushed":    func(x serve.Exchange) { body(3)(x); _ = x.Flush(); body(4)(x); x.Abort(true) },
	"abort, length":     func(x serve.Exchange) { length("10", 3)(x); x.Abort(true) },
	"guard":             func(x serve.Exchange) { release := x.GuardEnd(); body(3)(x); release(true) },
	"duplex":            func(x serve.Exchange) { x.Duplex(); body(3)(x) },
}

var someDate = regexp.MustCompile(`\r\nDate: [^\r]* GMT\r\n`)

// conversation returns all that a server answers to some requests at once, until it closes the
// connection. Dates are masked, and chunks are joined.
func conversation(t *testing.T, address, requests string) string {
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(hang)))
	_, err = io.WriteString(conn, requests)
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	all, err := io.ReadAll(conn)
	require.NoError(t, err)
	return joinChunks(someDate.ReplaceAllString(string(all), "\r\nDate: now\r\n"))
}

// joinChunks replaces the chunks after each head that announces them by a single one.
func joinChunks(text string) string {
	const announced = "Transfer-Encoding: chunked\r\n\r\n"
	before, after, ok := strings.Cut(text, announced)
	if !ok {
		return text
	}
	in := bufio.NewReader(strings.NewReader(after))
	body, err := io.ReadAll(httputil.NewChunkedReader(in))
	if err != nil {
		return fmt.Sprintf("%s%s[%s %v]", before, announced, body, err)
	}
	rest, _ := io.ReadAll(in)
	return fmt.Sprintf("%s%s[%s]%s", before, announced, body, joinChunks(string(rest)))
}

func shorten(text string) string {
	const most = 500
	if len(text) > most {
		return fmt.Sprintf("%q… (%d bytes)", text[:most], len(text))
	}
	return fmt.Sprintf("%q", text)
}

// The answers are net/http's, byte for byte, and so is the end of the connection.
func TestAnswersAreThoseOfNetHTTP(t *testing.T) {
	answer := func(x serve.Exchange, r *http.Request) {
		delete(x.Header(), "Front")
		answers[strings.ReplaceAll(r.URL.Path[len("/plain/"):], "+", " ")](x)
	}
	front := start(t, answer, nil)
	server := &http.Server{Handler: handler(answer), ErrorLog: log.New(io.Discard, "", 0)}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go server.Serve(ln)
	t.Cleanup(func() { server.Close() })
	for name := range answers {
		t.Run(name, func(t *testing.T) {
			target := "/plain/" + strings.ReplaceAll(name, " ", "+")
			for _, requests := range []string{post(target, ""), post(target, "{}"), strings.Repeat(post(target, "{}"), 3)} {
				before := front.front.Stats()
				want := conversation(t, ln.Addr().String(), requests)
				got := conversation(t, front.front.Addr().String(), requests)
				assert.True(t, want == got, "want %s\n got %s", shorten(want), shorten(got))
				assert.Equal(t, before.HandedOver, front.front.Stats().HandedOver)
			}
		})
	}
}
