package differential_test

import (
	"slices"

	tunnel "github.com/bluelibs/go-tunnel"

	"github.com/bluelibs/go-tunnel/tests/testapp"
)

const contextsTarget = "/__runner/task/full.tasks.contexts"

// contextHeaders are pairs of a name and an x-runner-context header.
var contextHeaders = []string{
	"user", `{"full.user":"{\"name\":\"Ann\"}"}`,
	"user of a Date", `{"full.user":"{\"__type\":\"Date\",\"value\":\"2024-01-02T03:04:05.678Z\"}"}`,
	"user of a Map", `{"full.user":"{\"a\":{\"__type\":\"Map\",\"value\":[[1,{\"__type\":\"BigInt\",\"value\":\"1\"}]]}}"}`,
	"user of a custom type", `{"full.user":"{\"__type\":\"Point\",\"value\":{\"x\":1,\"y\":2}}"}`,
	"user of Undefined", `{"full.user":"{\"__type\":\"Undefined\",\"value\":null}"}`,
	"user of null", `{"full.user":"null"}`,
	"user of a string", `{"full.user":"\"Ann\""}`,
	"user that is empty", `{"full.user":""}`,
	"user that is no JSON", `{"full.user":"Ann"}`,
	"user that is a string", `{"full.user":"Ann","full.tenant":"T:acme"}`,
	"user that is no text", `{"full.user":{"name":"Ann"}}`,
	"user that is a number", `{"full.user":1,"full.tenant":"T:acme"}`,
	"user that is a Date", `{"full.user":{"__type":"Date","value":0},"full.tenant":"T:acme"}`,
	"user of an unknown type", `{"full.user":"{\"__type\":\"Unknown\",\"value\":0}","full.tenant":"T:acme"}`,
	"tenant", `{"full.tenant":"T:acme"}`,
	"tenant that its parser refuses", `{"full.tenant":"acme","full.user":"1"}`,
	"tenant of nothing", `{"full.tenant":"T:"}`,
	"all", `{"full.user":"{\"name\":\"Ann\"}","full.tenant":"T:acme","full.strict":"\"ok\""}`,
	"all, another order", `{"full.strict":"\"ok\"","full.tenant":"T:acme","full.user":"1"}`,
	"strict", `{"full.strict":"\"ok\""}`,
	"strict that its schema refuses", `{"full.strict":"\"bad\"","full.user":"1"}`,
	"unknown", `{"full.unknown":"1"}`,
	"unknown and user", `{"full.unknown":"1","full.user":"1"}`,
	"id in another case", `{"FULL.USER":"1"}`,
	"user twice", `{"full.user":"1","full.user":"2"}`,
	"request's own", `{"platform.node.ctx.exposureRequest":"{\"url\":\"x\"}","full.user":"1"}`,
	"array", `["full.user"]`,
	"string", `"full.user"`,
	"null", "null",
	"number", "1",
	"empty object", "{}",
	"empty", "",
	"no JSON", "full.user=1",
	"cut", `{"full.user":"1"`,
	"two documents", `{"full.user":"1"}{"full.user":"2"}`,
	"Map", `{"__type":"Map","value":[["full.user","1"]]}`,
	"unknown type", `{"__type":"Unknown","value":1}`,
	"graph", graphOf(`{"__ref":"n0"}`, `"n0":{"kind":"object","value":{"full.user":"1"}}`),
	"escaped name", `{"$runner.escape::full.user":"1"}`,
	"name of a prototype", `{"__proto__":{"full.user":"1"}}`,
	"Latin-1", "{\"full.user\":\"\\\"\xe9\\\"\"}",
	"UTF-8", `{"full.user":"\"é日\""}`,
	"escaped text", `{"full.user":"\"\u00e9\u65e5\""}`,
	"blanks around", ` 	{ "full.user" : "1" } 	`,
	"8 KB", `{"full.user":"\"` + letters(8000) + `\""}`,
}

// contextCases returns one call with each of the headers.
func contextCases(target, body string) (cases []exchange) {
	for i := 0; i < len(contextHeaders); i += 2 {
		cases = append(cases, exchange{name: contextHeaders[i], raw: rawPost(target, body, "X-Runner-Context: "+contextHeaders[i+1])})
	}
	return cases
}

const annContext = `X-Runner-Context: {"full.user":"\"Ann\"","full.tenant":"T:acme"}`

var runnerContextGroups = []serverPair{
	{name: "context", app: testapp.FullApp, runnerOnly: true, cases: slices.Concat(
		contextCases(contextsTarget, ""),
		[]exchange{
			{name: "none", raw: rawPost(contextsTarget, "")},
			{name: "name in lower case", raw: rawPost(contextsTarget, "", `x-runner-context: {"full.user":"1"}`)},
			{name: "header twice", raw: rawPost(contextsTarget, "", annContext, annContext)},
			{name: "header and an empty one", raw: rawPost(contextsTarget, "", annContext, "X-Runner-Context:")},
			{name: "later", raw: rawTask("full.tasks.laterContexts", "", annContext)},
			{name: "required, there", raw: rawTask("full.tasks.requireContext", "", annContext)},
			{name: "required, not there", raw: rawTask("full.tasks.requireContext", "")},
			{name: "refused by the tunnel", raw: rawTask("full.tasks.noContexts", "", annContext)},
			{name: "refused by one of two tunnels", raw: rawTask("full.tasks.halfContexts", "", annContext)},
			{name: "event's, refused by the tunnel", raw: rawEvent("full.events.noContexts", `{"payload":{},"returnPayload":true}`, annContext)},
			{name: "of a body that is bad", raw: rawPost(contextsTarget, "{", annContext)},
			{name: "does not stay", answers: 2, raw: rawPost(contextsTarget, "", annContext) + rawPost(contextsTarget, "")},
		},
	)},
	{name: "context of an event", app: testapp.FullApp, runnerOnly: true, cases: contextCases("/__runner/event/full.events.contexts", `{"payload":{},"returnPayload":true}`)},
	{name: "request as the task sees it", app: testapp.FullApp, runnerOnly: true, cases: append(
		requestCases(
			"nothing special", "/__runner/task/full.tasks.request", "",
			"query", "/__runner/task/full.tasks.request?a=1&a=%20+%zz#h", "",
			"members", "/__runner/task/full.tasks.requestMembers", "X-A: 1",
			"odd path", "/x/..//__runner/task/./full.tasks.request//", "",
			"escaped path", "/__runner/task/full%2Etasks%2erequest", "",
			"backslashes", `/__runner\task\full.tasks.request`, "",
			"beyond ASCII", "/__runner/task/full.tasks.request?é", "",
			"whole URL", "http://anything:81/__runner/task/full.tasks.request?q", "",
			"headers", "", "X-A: 1\r\nx-b: 2\r\nX-C:",
			"header twice", "", "X-A: 1\r\nX-B: 0\r\nx-a: 2",
			"blanks around", "", "X-A: \t 1 2 \t",
			"Latin-1", "", "X-A: \xe9\xff",
			"UTF-8", "", "X-A: é日😀",
			"quotes", "", `X-A: "\'`,
			"cookies", "", "Cookie: a=1\r\nCookie: b=2",
			"Set-Cookie", "", "Set-Cookie: a=1\r\nSet-Cookie: b=2",
			"Authorization twice", "", "Authorization: a\r\nAuthorization: b",
			"User-Agent twice", "", "User-Agent: a\r\nUser-Agent: b",
			"Referer twice", "", "Referer: a\r\nReferer: b",
			"Accept twice", "", "Accept: a\r\nAccept: b",
			"X-Forwarded-For twice", "", "X-Forwarded-For: a\r\nX-Forwarded-For: b",
			"type twice", "", "Content-Type: a/b\r\nContent-Type: c/d",
			"If-Modified-Since twice", "", "If-Modified-Since: a\r\nIf-Modified-Since: b",
			"Connection", "", "Connection: keep-alive, X-A\r\nX-A: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers",
			"Upgrade", "", "Upgrade: websocket\r\nConnection: upgrade",
			"request id", "", "X-Runner-Request-Id: own",
			"bad request id", "", "X-Runner-Request-Id: a b",
			"names of a prototype", "", "__proto__: 1\r\nconstructor: 2\r\ntoString: 3",
			"odd names", "", "a!#$%&'*+.^_`|~9: 1",
			"names that are numbers", "", "2: b\r\n1: a",
			"context", "", annContext,
			"long header", "", "X-A: "+letters(10_000),
		),
		exchange{name: "chunked", raw: rawToken("POST", "/__runner/task/full.tasks.request", chunksOf("1", 1), "Transfer-Encoding: chunked")},
		exchange{name: "trailer", raw: rawToken("POST", "/__runner/task/full.tasks.request", "1\r\n1\r\n0\r\nX-A: 1\r\n\r\n", "Transfer-Encoding: chunked", "Trailer: X-A")},
		exchange{name: "HTTP/1.0", raw: "POST /__runner/task/full.tasks.request HTTP/1.0\r\nX-Runner-Token: secret\r\nContent-Length: 0\r\n\r\n"},
		exchange{name: "expectation", raw: rawTask("full.tasks.request", "1", "Expect: 100-continue")},
		exchange{name: "gzip body", raw: rawTask("full.tasks.request", gzipOf("1"), "Content-Encoding: gzip")},
	)},
	{
		name: "request below another base path", app: testapp.FullApp, runnerOnly: true,
		runner: map[string]any{"basePath": "api/v1/"}, ours: tunnel.Config{BasePath: "api/v1/"},
		cases: requestCases("task", "/api/v1/task/full.tasks.request?a", ""),
	},
}

// requestCases returns a call of full.tasks.request for each triple of a name, a target
// and header lines.
func requestCases(triples ...string) (cases []exchange) {
	for i := 0; i < len(triples); i += 3 {
		target, lines := triples[i+1], []string{}
		if target == "" {
			target = "/__runner/task/full.tasks.request"
		}
		if triples[i+2] != "" {
			lines = append(lines, triples[i+2])
		}
		cases = append(cases, exchange{name: triples[i], raw: rawPost(target, "", lines...)})
	}
	return cases
}
