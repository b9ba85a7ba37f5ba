package differential_test

import (
	"regexp"
	"slices"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"

	tunnel "github.com/bluelibs/go-tunnel"
)

const (
	originA = "Origin: https://a.example"
	originB = "Origin: https://b.example"
)

// crossOrigin are the requests that every CORS configuration has to answer.
var crossOrigin = []exchange{
	{name: "no origin", raw: rawAdd()},
	{name: "origin a", raw: rawAdd(originA)},
	{name: "origin b", raw: rawAdd(originB)},
	{name: "origin null", raw: rawAdd("Origin: null")},
	{name: "origin in another case", raw: rawAdd("Origin: HTTPS://A.EXAMPLE")},
	{name: "origin empty", raw: rawAdd("Origin:")},
	{name: "origin beyond ASCII", raw: rawAdd("Origin: https://\xe9.example")},
	{name: "origin twice", raw: rawAdd(originA, originA)},
	{name: "401", raw: rawRequest("POST", "/__runner/task/app.tasks.add", "", originA, lengthLine(""))},
	{name: "404 outside", raw: rawGet("/other", originA)},
	{name: "event", raw: rawEvent("app.events.notify", "{}", originA)},
	{name: "preflight", raw: rawPreflight("/__runner/task/app.tasks.add", originA,
		"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type, x-runner-token")},
	{name: "preflight of origin b", raw: rawPreflight("/__runner/task/app.tasks.add", originB, "Access-Control-Request-Method: POST")},
	{name: "preflight without an origin", raw: rawPreflight("/__runner/task/app.tasks.add")},
	{name: "preflight of another method", raw: rawPreflight("/__runner/foo", originA, "Access-Control-Request-Method: DELETE")},
	{name: "preflight with doubled headers", raw: rawPreflight("/__runner/discovery", originA,
		"Access-Control-Request-Headers: a,b", "Access-Control-Request-Headers: C")},
	{name: "preflight with odd headers", raw: rawPreflight("/__runner", "Access-Control-Request-Headers: \xc3\xa9\t\xff, ,")},
	{name: "preflight with empty headers", raw: rawPreflight("/__runner", "Access-Control-Request-Headers:")},
	{name: "preflight outside", raw: rawPreflight("/other", originA)},
}

func rawPreflight(target string, lines ...string) string {
	return rawRequest("OPTIONS", target, "", lines...)
}

func corsGroup(name string, runner map[string]any, ours protocol.CORS, more ...exchange) serverPair {
	return serverPair{
		name:   "CORS, " + name,
		runner: map[string]any{"cors": runner},
		ours:   tunnel.Config{CORS: &ours},
		cases:  slices.Concat(crossOrigin, more),
	}
}

var corsGroups = []serverPair{
	{name: "CORS, none", cases: slices.Concat(crossOrigin, []exchange{
		{name: "400", raw: rawTask("app.tasks.echo", "{", originA)},
		{name: "403", raw: rawTask("app.tasks.hidden", "", originA)},
		{name: "404", raw: rawGet("/__runner/foo", originA)},
		{name: "405", raw: rawGet("/__runner/task/app.tasks.add", originA)},
		{name: "500", raw: rawTask("app.tasks.fail", "", originA)},
		{name: "discovery", raw: rawGet("/__runner/discovery", originA)},
		{name: "preflight with a body", raw: rawRequest("OPTIONS", "/__runner/foo", sumBody, lengthLine(sumBody))},
		{name: "preflight with a request id", raw: rawPreflight("/__runner/foo", "X-Runner-Request-Id: a")},
	})},
	corsGroup("origin string",
		map[string]any{
			"origin": "https://a.example", "exposedHeaders": []string{"X-Runner-Request-Id", "X-B"}, "methods": []string{"GET", "POST"},
			"allowedHeaders": []string{"Content-Type", "X-Runner-Token"}, "maxAge": 600,
		},
		protocol.CORS{
			Origin: "https://a.example", ExposedHeaders: []string{"X-Runner-Request-Id", "X-B"}, Methods: []string{"GET", "POST"},
			Headers: []string{"Content-Type", "X-Runner-Token"}, MaxAge: 10 * time.Minute,
		}),
	corsGroup("origin list with credentials",
		map[string]any{"origin": []string{"https://a.example", "https://c.example"}, "credentials": true},
		protocol.CORS{Origins: []string{"https://a.example", "https://c.example"}, Credentials: true}),
	corsGroup("pattern",
		map[string]any{"originPattern": `^https://[ac]\.example$`},
		protocol.CORS{Pattern: regexp.MustCompile(`^https://[ac]\.example$`)}),
	corsGroup("pattern without Vary",
		map[string]any{"originPattern": `^https://a\.`, "varyOrigin": false},
		protocol.CORS{Pattern: regexp.MustCompile(`^https://a\.`), OmitVary: true}),
	corsGroup("credentials without an origin",
		map[string]any{"credentials": true, "exposedHeaders": []string{"X-A"}},
		protocol.CORS{Credentials: true, ExposedHeaders: []string{"X-A"}}),
	corsGroup("star with credentials",
		map[string]any{"origin": "*", "credentials": true, "maxAge": 1},
		protocol.CORS{Origin: "*", Credentials: true, MaxAge: time.Second}),
	corsGroup("empty list",
		map[string]any{"origin": []string{}, "maxAge": 0, "methods": []string{}, "allowedHeaders": []string{}},
		protocol.CORS{Origins: []string{}, MaxAge: -1, Methods: []string{}, Headers: []string{}}),
}
