package protocoltest

import (
	"regexp"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

const (
	goodOrigin  = "https://a.example"
	otherOrigin = "https://b.example"
	badOrigin   = "https://evil.example"
)

const (
	allowOrigin      = "Access-Control-Allow-Origin"
	allowCredentials = "Access-Control-Allow-Credentials"
	allowMethods     = "Access-Control-Allow-Methods"
	allowHeaders     = "Access-Control-Allow-Headers"
	exposeHeaders    = "Access-Control-Expose-Headers"
	maxAge           = "Access-Control-Max-Age"
)

// from allows one of two origins.
func (w Want) from(origin string) Want { return w.with(allowOrigin, origin).with("Vary", "Origin") }

func corsCases() []Case {
	eight := result(`8`)
	listed := Setup{CORS: &protocol.CORS{Origins: []string{goodOrigin, otherOrigin}}}
	pattern := Setup{CORS: &protocol.CORS{Pattern: regexp.MustCompile(`^https://[ab]\.example$`)}}
	function := Setup{CORS: &protocol.CORS{OriginFunc: func(origin string) string {
		return map[string]string{goodOrigin: "https://answer.example", "": "https://none.example"}[origin]
	}}}
	from := func(origin string) Request { return add().with("origin", origin) }
	return []Case{
		{
			Name: "not configured", Rule: "Unless configured every origin may read the answers.",
			Request: from(badOrigin), Want: eight.with(allowOrigin, "*"),
		},
		{
			Name: "not configured and no origin", Rule: "The header is sent without an Origin too.",
			Request: add(), Want: eight.with(allowOrigin, "*"),
		},
		{
			Name: "one origin", Rule: "A configured origin is sent.",
			Setup: Setup{CORS: &protocol.CORS{Origin: goodOrigin}}, Request: from(goodOrigin), Want: eight.with(allowOrigin, goodOrigin),
		},
		{
			Name: "one origin, asked by another", Rule: "A configured origin is sent whoever asks.",
			Setup: Setup{CORS: &protocol.CORS{Origin: goodOrigin}}, Request: from(badOrigin), Want: eight.with(allowOrigin, goodOrigin),
		},
		{
			Name: "listed origin", Rule: "An origin on the list is sent back, and the answer varies by it.",
			Setup: listed, Request: from(otherOrigin), Want: eight.from(otherOrigin),
		},
		{
			Name: "unlisted origin", Rule: "An origin that is not on the list is answered without the header.",
			Setup: listed, Request: from(badOrigin), Want: eight.from(""),
		},
		{
			Name: "listed origin in capitals", Rule: "Origins are compared exactly.",
			Setup: listed, Request: from("https://A.example"), Want: eight.from(""),
		},
		{
			Name: "listed origin and more", Rule: "Origins are compared as a whole.",
			Setup: listed, Request: from(goodOrigin + ".evil"), Want: eight.from(""),
		},
		{
			Name: "list and no origin", Rule: "Without an Origin the answer varies all the same.",
			Setup: listed, Request: add(), Want: eight.from(""),
		},
		{
			Name: "pattern", Rule: "An origin that matches the pattern is sent back.",
			Setup: pattern, Request: from(goodOrigin), Want: eight.from(goodOrigin),
		},
		{
			Name: "pattern that does not match", Rule: "An origin that does not match the pattern is answered without the header.",
			Setup: pattern, Request: from(badOrigin), Want: eight.from(""),
		},
		{
			Name: "function", Rule: "What the function returns is sent.",
			Setup: function, Request: from(goodOrigin), Want: eight.from("https://answer.example"),
		},
		{
			Name: "function that refuses", Rule: "Nothing is sent if the function returns nothing.",
			Setup: function, Request: from(badOrigin), Want: eight.from(""),
		},
		{
			Name: "function and no origin", Rule: "The function is asked without an Origin too.",
			Setup: function, Request: add(), Want: eight.from("https://none.example"),
		},
		{
			Name: "credentials alone", Rule: "Credentials without an origin allow none.",
			Setup: Setup{CORS: &protocol.CORS{Credentials: true}}, Request: from(goodOrigin),
			Want: eight.from("").with(allowCredentials, "true"),
		},
		{
			Name: "credentials and a list", Rule: "Credentials are allowed beside the origin.",
			Setup:   Setup{CORS: &protocol.CORS{Credentials: true, Origins: []string{goodOrigin}}},
			Request: from(goodOrigin), Want: eight.from(goodOrigin).with(allowCredentials, "true"),
		},
		{
			Name: "credentials and another origin", Rule: "The credentials header is sent even if the origin does not match.",
			Setup:   Setup{CORS: &protocol.CORS{Credentials: true, Origins: []string{goodOrigin}, ExposedHeaders: []string{"x-a"}}},
			Request: from(badOrigin), Want: eight.from("").with(allowCredentials, "true").with(exposeHeaders, "x-a"),
		},
		{
			Name: "credentials and every origin", Rule: "A star beside credentials is sent as configured.",
			Setup:   Setup{CORS: &protocol.CORS{Credentials: true, Origin: "*"}},
			Request: from(goodOrigin), Want: eight.with(allowOrigin, "*").with(allowCredentials, "true"),
		},
		{
			Name: "exposed headers", Rule: "Headers that scripts may read are listed.",
			Setup:   Setup{CORS: &protocol.CORS{ExposedHeaders: []string{"x-runner-request-id", "x-b"}}},
			Request: add(), Want: eight.with(exposeHeaders, "x-runner-request-id, x-b"),
		},
		{
			Name: "no vary", Rule: "Vary can be left out.",
			Setup:   Setup{CORS: &protocol.CORS{OmitVary: true, Origins: []string{goodOrigin}}},
			Request: from(goodOrigin), Want: eight.with(allowOrigin, goodOrigin),
		},
		{
			Name: "401", Rule: "A refused caller gets the headers too.",
			Setup: listed, Request: from(goodOrigin).noToken(), Want: unauthorized().from(goodOrigin),
		},
		{
			Name: "403", Rule: "An answer about the allow-list has the headers.",
			Setup: listed, Request: task("hidden", `{}`).with("origin", goodOrigin), Want: forbidden("Task app.tasks.hidden not exposed").from(goodOrigin),
		},
		{
			Name: "404", Rule: "An answer about an unknown path has the headers.",
			Setup: listed, Request: post(base+"/foo", "").with("origin", goodOrigin), Want: notFound().from(goodOrigin),
		},
		{
			Name: "404 outside the base", Rule: "An answer outside the base has the headers.",
			Setup: listed, Request: post("/foo", "").with("origin", goodOrigin), Want: outside().from(goodOrigin),
		},
		{
			Name: "405", Rule: "An answer about the method has the headers.",
			Setup: listed, Request: get(addPath).with("origin", goodOrigin), Want: wrongMethod("POST, OPTIONS").from(goodOrigin),
		},
		{
			Name: "413", Rule: "An answer about the size has the headers.",
			Setup:   Setup{CORS: listed.CORS, Limits: protocol.Limits{MaxBody: 1}},
			Request: from(goodOrigin), Want: tooLarge().from(goodOrigin),
		},
		{
			Name: "500", Rule: "An internal error has the headers.",
			Setup: listed, Request: task("fail", `{}`).with("origin", goodOrigin), Want: internal().from(goodOrigin),
		},
	}
}

func preflightCases() []Case {
	listed := Setup{CORS: &protocol.CORS{Origins: []string{goodOrigin}, Credentials: true, ExposedHeaders: []string{"x-a"}}}
	ask := func(path string) Request {
		return options(path).with("origin", goodOrigin).with("access-control-request-method", "POST")
	}
	age := func(d time.Duration) Setup { return Setup{CORS: &protocol.CORS{MaxAge: d}} }
	return []Case{
		{
			Name: "preflight", Rule: "A preflight is answered with 204, without a token.",
			Request: ask(addPath), Want: preflight(),
		},
		{
			Name: "preflight without an origin", Rule: "A preflight needs neither Origin nor a requested method.",
			Request: options(addPath), Want: preflight(),
		},
		{
			Name: "preflight of an unknown path", Rule: "Every path below the base has a preflight, known or not.",
			Request: ask(base + "/foo/%ff"), Want: preflight(),
		},
		{
			Name: "preflight of the base", Rule: "The base path itself has a preflight.",
			Request: ask(base), Want: preflight(),
		},
		{
			Name: "preflight of an unlisted task", Rule: "A preflight does not tell what is on the allow-list.",
			Request: ask(base + "/task/app.tasks.hidden"), Want: preflight(),
		},
		{
			Name: "requested headers", Rule: "The requested headers are allowed as they were asked for.",
			Request: ask(addPath).with("access-control-request-headers", "content-type,X-Runner-Token"),
			Want:    preflight().with(allowHeaders, "content-type,X-Runner-Token"),
		},
		{
			Name: "configured headers", Rule: "Configured headers are allowed in place of the requested ones.",
			Setup:   Setup{CORS: &protocol.CORS{Headers: []string{"x-a", "x-b"}}},
			Request: ask(addPath).with("access-control-request-headers", "x-c"), Want: preflight().with(allowHeaders, "x-a, x-b"),
		},
		{
			Name: "configured methods", Rule: "Configured methods are allowed in place of the default ones.",
			Setup:   Setup{CORS: &protocol.CORS{Methods: []string{"GET", "POST"}}},
			Request: ask(addPath), Want: preflight().with(allowMethods, "GET, POST"),
		},
		{
			Name: "preflight of a listed origin", Rule: "A preflight names the origin and credentials, and exposes no headers.",
			Setup: listed, Request: ask(addPath), Want: preflight().from(goodOrigin).with(allowCredentials, "true"),
		},
		{
			Name: "preflight of another origin", Rule: "The preflight of an origin that is not allowed is answered without it.",
			Setup: listed, Request: options(addPath).with("origin", badOrigin), Want: preflight().from("").with(allowCredentials, "true"),
		},
		{
			Name: "max age", Rule: "The age of a preflight is sent in seconds.",
			Setup: age(10 * time.Minute), Request: ask(addPath), Want: preflight().with(maxAge, "600"),
		},
		{
			Name: "max age of nothing", Rule: "A negative age forbids to keep a preflight.",
			Setup: age(-time.Minute), Request: ask(addPath), Want: preflight().with(maxAge, "0"),
		},
		{
			Name: "age of a real request", Rule: "What belongs to preflights is in no other answer.",
			Setup:   Setup{CORS: &protocol.CORS{MaxAge: time.Minute, Methods: []string{"POST"}, Headers: []string{"x-a"}}},
			Request: add().with("access-control-request-headers", "x-b"), Want: result(`8`),
		},
	}
}
