package protocoltest

import (
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

// Target is a server under test.
type Target struct {
	// URL is the scheme and the host, without a path.
	URL string
	// Client sends the requests. It decides which version of HTTP is spoken.
	Client *http.Client
	// HTTP2 says that Client uses HTTP/2, which Run checks, and skips the cases with HTTP1Only.
	HTTP2 bool
	// ParallelEvents says that the executor knows parallel events. Otherwise the cases about them
	// are skipped.
	ParallelEvents bool
	// Bytes says that the executor accepts files and streams, and has the tasks for them.
	// Otherwise the cases about them are skipped.
	Bytes bool
}

// Run sends all cases to servers of the function start. Cases without a setup of their own share
// one server, each other case has its own. Start must use t.Cleanup to close what it opens.
func Run(t *testing.T, start func(t *testing.T, s Setup) Target) {
	shared := start(t, Setup{}.withDefaults())
	for _, c := range Cases() {
		t.Run(c.Topic+"/"+c.Name, func(t *testing.T) {
			t.Parallel()
			explain(t, c.Rule)
			target := shared
			if !reflect.ValueOf(c.Setup).IsZero() {
				target = start(t, c.Setup.withDefaults())
			}
			switch {
			case c.HTTP1Only && target.HTTP2:
				t.Skip("HTTP/2 cannot carry this request")
			case c.ParallelEvents && !target.ParallelEvents:
				t.Skip("the executor does not know parallel events")
			case c.Bytes && !target.Bytes:
				t.Skip("the executor takes no files and streams")
			}
			answer, err := c.send(target)
			if err != nil {
				t.Fatal(err)
			}
			if target.HTTP2 {
				equal(t, 2, answer.protoMajor, "version of HTTP")
			}
			c.check(t, answer)
		})
	}
}

// explain prints the rule if the test fails.
func explain(t *testing.T, rule string) {
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the rule: %s", rule)
		}
	})
}

var newRequestID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// optional are the headers that an answer must not have unless its case has them.
var optional = []string{
	"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Methods",
	"Access-Control-Allow-Headers", "Access-Control-Expose-Headers", "Access-Control-Max-Age",
	"Allow", "Retry-After", "Vary",
}

// never are the headers that no answer has.
var never = []string{
	"Cache-Control", "Content-Encoding", "Etag", "Location", "Server", "Set-Cookie", "Transfer-Encoding", "Www-Authenticate",
}

// check compares an answer with that of the case.
func (c Case) check(t reporter, got answer) {
	want := c.Want
	equal(t, want.Status, got.status, "status")
	if c.Request.Method == http.MethodHead {
		equal(t, "", got.body, "the body of an answer to HEAD")
	} else {
		equal(t, shorten(want.Body), shorten(got.body), "body")
		expect(t, want.Body == got.body, "body: it differs, perhaps beyond what is shown")
	}

	one := func(name, value string) {
		var values []string
		if value != "" {
			values = []string{value}
		}
		has := got.header.Values(name)
		expect(t, slices.Equal(values, has), "header %s: want %q, got %q", name, values, has)
	}
	for _, name := range optional {
		value, ok := want.Header[name]
		if !ok && name == "Access-Control-Allow-Origin" {
			value = "*"
		}
		one(name, value)
	}
	for _, name := range never {
		one(name, "")
	}

	if want.Preflight {
		one("Content-Type", "")
		return
	}
	if want.Stream == "" {
		one("Content-Type", "application/json; charset=utf-8")
		one("Content-Length", strconv.Itoa(len(want.Body)))
	} else {
		one("Content-Type", want.Stream)
	}
	equal(t, want.Cut, got.cut, "a body that breaks off")
	one("X-Content-Type-Options", "nosniff")
	one("X-Frame-Options", "DENY")
	switch {
	case want.OutsideBase:
		one("X-Runner-Request-Id", "")
	case want.RequestID != "":
		one("X-Runner-Request-Id", want.RequestID)
	default:
		ids := got.header.Values("X-Runner-Request-Id")
		expect(t, len(ids) == 1 && newRequestID.MatchString(ids[0]), "header X-Runner-Request-Id: want one new id, got %q", ids)
	}
}

// shorten keeps failures readable.
func shorten(body string) string {
	const most = 2000
	if len(body) > most {
		return body[:most] + "… (" + strconv.Itoa(len(body)) + " bytes)"
	}
	return body
}
