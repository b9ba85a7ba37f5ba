package http1_test

import (
	"strings"
	"testing"
)

// Callers may send newlines after a body that does not count them, as to net/http.
func TestNewlinesAfterBodies(t *testing.T) { overBoth(t, testNewlinesAfterBodies) }

func testNewlinesAfterBodies(t *testing.T) {
	s := start(t, echo, nil)
	for _, newlines := range []string{"\n", "\r\n", "\r\n\r\n"} {
		at, torn := dial(t, s), dial(t, s)
		at.send(t, strings.Repeat(post("/plain/x", "1")+newlines, 3)+post("/other", "2")+newlines+post("/other", "3"))
		for range 3 {
			at.expect(t, "yes", "/plain/x 1")
		}
		at.expect(t, "no", "/other 2")
		at.expect(t, "no", "/other 3")
		for range 3 {
			torn.send(t, post("/plain/x", "1"))
			torn.expect(t, "yes", "/plain/x 1")
			for _, c := range newlines {
				torn.send(t, string(c))
			}
		}
		torn.send(t, post("/other", "2"))
		torn.expect(t, "no", "/other 2")
	}
}

// More of them, or before the first request, are net/http's to refuse.
func TestNewlinesElsewhere(t *testing.T) {
	s := start(t, echo, nil)
	first, many := dial(t, s), dial(t, s)
	first.send(t, "\r\n"+post("/plain/x", "1"))
	many.send(t, post("/plain/x", "1")+"\r\n\r\n\r\n"+post("/plain/x", "2"))
	many.expect(t, "yes", "/plain/x 1")
	for _, c := range []*caller{first, many} {
		c.expect(t, "", "400 Bad Request")
	}
}
