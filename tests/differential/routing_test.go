package differential_test

import (
	"slices"

	tunnel "github.com/bluelibs/go-tunnel"
)

var routingGroups = []serverPair{
	{name: "routing", cases: slices.Concat(
		casesTo("POST",
			"/__runner/task/app.tasks.add", "/__runner/event/app.events.notify",
			"/__runner", "/__runner/", "/__runner/task", "/__runner/task/", "/__runner/task///", "/__runner/foo",
			"/__runner/foo/app.tasks.add", "/__runner/event", "/__runner/event/", "/", "/other", "/other/task/app.tasks.add",

			"/__runner/Task/app.tasks.add", "/__runner/TASK/app.tasks.add", "/__runner/t%61sk/app.tasks.add",
			"/__RUNNER/task/app.tasks.add", "/__runnerx/task/app.tasks.add", "/%5f%5frunner/task/app.tasks.add",
			"/__runne%72/task/app.tasks.add",

			"/__runner/task/app.tasks.add/", "/__runner//task/app.tasks.add", "/__runner/task//app.tasks.add",
			"/__runner/task/app.tasks.add//", "//__runner/task/app.tasks.add", "///__runner/task/app.tasks.add",
			"//", "///", "/__runner/task/app//tasks",

			"/__runner/task/app/tasks/odd%20id%25", "/__runner/task/app%2Ftasks%2Fodd%20id%25",
			"/__runner/task/app%2ftasks/odd%20id%25", "/__runner/task/app%2F%2Ftasks", "/__runner/task/app%252Ftasks",
			"/__runner/task/app.tasks.%61dd", "/__runner/task/app+tasks", "/__runner/task/app%2Btasks",
			"/__runner/task/%D0%BA%D0%BB%D1%8E%D1%87", "/__runner/task/%09", "/__runner/task/%00", "/__runner/task/%20",
			"/__runner/task/%2F", "/__runner/task/%", "/__runner/task/%z", "/__runner/task/%zz", "/__runner/task/a%2",
			"/__runner/task/%ff", "/__runner/task/%C0%AF", "/__runner/task/%ED%A0%80", "/__runner/task/a/%zz",
			`/__runner/task/a"b<c>'d`, "/__runner/task/a|b^c`d", "/__runner/task/{a}", "/__runner/task/[a]", "/__runner/task/a:b@c;d=e,f&g!$*()~",
			"/__runner/task/%3Cscript%3E%26%E2%80%A8", "/__runner/task/%22%5C%0A",

			"/__runner/task/../task/app.tasks.add", "/__runner/task/./app.tasks.add", "/x/../__runner/task/app.tasks.add",
			"/__runner/../other", "/__runner/task/..", "/__runner/task/.", "/../../__runner/task/app.tasks.add",
			"/__runner/task/%2e%2e/task/app.tasks.add", "/__runner/task/.%2E/task/app.tasks.add",
			"/__runner/task/%2e/app.tasks.add", "/__runner/task/...", "/__runner/task/app.tasks.add/..",
			"/__runner/task/app.tasks.add/.", "/__runner/task/..%2Fapp.tasks.add",
			`\__runner\task\app.tasks.add`, `/__runner\task\app.tasks.add`, `/__runner/task/app.tasks.add\`,
			`/__runner/task\..\task/app.tasks.add`, "/__runner/task/app%5Ctasks", `/\__runner/task/app.tasks.add`,

			"/__runner/task/app.tasks.add?x=1", "/__runner/task/app.tasks.add?", "/__runner/task/app.tasks.add?x=/../%zz",
			"/__runner/task/app.tasks.add#x", "/__runner/task/app.tasks.add#x?y", "/__runner/task?/app.tasks.add",
			"http://anything/__runner/task/app.tasks.add", "https://anything:1/__runner/task/app.tasks.add?x",
			"HTTP://anything/__runner/task/app.tasks.add", "http://anything", "http://user:pass@anything/__runner/task/app.tasks.add",
			"ftp://anything/__runner/task/app.tasks.add", "http://anything/x/../__runner/task/app.tasks.add",
			`http://anything\__runner\task\app.tasks.add`, "http:///__runner/task/app.tasks.add", "http://[/__runner/task/app.tasks.add",
			"http://anything:99999/__runner/task/app.tasks.add", "http://anything:x/__runner/task/app.tasks.add",
			"http:/__runner/task/app.tasks.add", "http:__runner/task/app.tasks.add", "http://%zz/__runner/task/app.tasks.add",
			"__runner/task/app.tasks.add", "*",
			"/__runner/task/\xc3\xa9", "/__runner/task/\xff",
			"/__runner/task/a b", "/__runner/task/a\tb",

			"/__runner/task/app.events.notify", "/__runner/event/app.tasks.add", "/__runner/task/app.tasks.hidden",
			"/__runner/task/app.tasks.unknown", "/__runner/event/app.events.unknown", "/__runner/task/APP.TASKS.ADD",
			"/__runner/task/constructor", "/__runner/task/__proto__", "/__runner/task/%EF%BB%BFa", "/__runner/task/%01%08%0C%7F",
		),
		casesTo("GET",
			"/__runner/discovery", "/__runner/discovery/", "/__runner//discovery", "/__runner/discovery/anything/%zz",
			"/__runner/discovery?x", "/__runner/Discovery", "/__runner/d%69scovery", "/__runner/task/../discovery",
			"/__runner/discoveryx", "/__runner/discovery/..", "/__runner/discovery/../task",
		),
	)},
	{
		name:   "base path of two segments",
		runner: map[string]any{"basePath": "api/v1/"},
		ours:   tunnel.Config{BasePath: "api/v1/"},
		cases: slices.Concat(
			casesTo("POST", "/api/v1/task/app.tasks.add", "/api/v1//task/app.tasks.add/", "/api//v1/task/app.tasks.add",
				"/api/task/app.tasks.add", "/api/v1", "/api/v1x/task/app.tasks.add", "/__runner/task/app.tasks.add",
				"/api/v1/../v1/task/app.tasks.add", "/API/V1/task/app.tasks.add"),
			casesTo("GET", "/api/v1/discovery"),
			casesTo("OPTIONS", "/api/v1/task/x", "/api/v2/task/x"),
		),
	},
	{
		name:   "base path of the root",
		runner: map[string]any{"basePath": "/"},
		ours:   tunnel.Config{BasePath: "/"},
		cases: slices.Concat(
			casesTo("POST", "/", "/task/app.tasks.add", "/__runner/task/app.tasks.add"),
			casesTo("GET", "/discovery"),
		),
	},
}

var methodGroups = []serverPair{
	{name: "methods", cases: slices.Concat(
		casesTo("GET", "/__runner/task/app.tasks.add", "/__runner/task/app.tasks.hidden", "/__runner/task/%zz", "/__runner/task",
			"/__runner/event/app.events.notify", "/__runner", "/__runner/foo"),
		casesTo("HEAD", "/__runner/task/app.tasks.add", "/__runner/event/app.events.notify", "/__runner/discovery", "/__runner", "/other"),
		casesTo("PUT", "/__runner/task/app.tasks.add", "/__runner/event/app.events.notify", "/__runner/discovery", "/__runner/foo"),
		casesTo("PATCH", "/__runner/task/app.tasks.add"),
		casesTo("DELETE", "/__runner/task/app.tasks.add", "/__runner/event/app.events.unknown", "/__runner/discovery", "/__runner/task/%ff"),
		casesTo("TRACE", "/__runner/task/app.tasks.add"),
		casesTo("PROPFIND", "/__runner/task/app.tasks.add"),
		casesTo("POST", "/__runner/discovery"),
		casesTo("OPTIONS", "/__runner", "/__runner/foo", "/__runner/task/%zz", "/__runner/discovery", "/other", "*", "//"),
		casesTo("post", "/__runner/task/app.tasks.add"),
		casesTo("FOO", "/__runner/task/app.tasks.add"),
		casesTo("CONNECT", "localhost:80", "/__runner/task/app.tasks.add"),
		[]exchange{
			{name: "405 without a token", raw: rawRequest("GET", "/__runner/task/app.tasks.add", "")},
			{name: "405 of discovery without a token", raw: rawRequest("DELETE", "/__runner/discovery", "")},
			{name: "404 without a token", raw: rawRequest("POST", "/__runner/foo", "", lengthLine(""))},
			{name: "404 of a bad id without a token", raw: rawRequest("POST", "/__runner/task/%zz", "", lengthLine(""))},
			{name: "405 before 403 and 401", raw: rawRequest("GET", "/__runner/task/app.tasks.hidden", "")},
			{name: "method override", raw: rawGet("/__runner/task/app.tasks.add", "X-HTTP-Method-Override: POST")},
			{name: "GET with a body", raw: rawToken("GET", "/__runner/discovery", sumBody, lengthLine(sumBody))},

			{name: "HTTP/1.0", raw: "POST /__runner/task/app.tasks.add HTTP/1.0\r\nX-Runner-Token: secret\r\n" + lengthLine(sumBody) + "\r\n\r\n" + sumBody},
			{name: "no Host", raw: "POST /__runner/task/app.tasks.add HTTP/1.1\r\nX-Runner-Token: secret\r\n" + lengthLine(sumBody) + "\r\n\r\n" + sumBody},
			{name: "two Hosts", raw: rawAdd("Host: other")},
			{name: "no HTTP", raw: "hello\r\n\r\n"},
			{name: "bad header line", raw: rawAdd("no colon")},
			{name: "space before the colon", raw: rawAdd("X-A : b")},
			{name: "length and chunked", raw: rawToken("POST", "/__runner/task/app.tasks.add", chunksOf(sumBody, 100), "Transfer-Encoding: chunked", "Content-Length: 5")},
			{name: "unknown transfer coding", raw: rawToken("POST", "/__runner/task/app.tasks.add", sumBody, "Transfer-Encoding: gzip")},
			{name: "two lengths", raw: rawAdd("Content-Length: 1")},
			{name: "negative length", raw: rawToken("POST", "/__runner/task/app.tasks.add", sumBody, "Content-Length: -1")},
			{name: "unknown expectation", raw: rawAdd("Expect: a miracle")},
			{name: "continue", raw: rawAdd("Expect: 100-continue")},
			{name: "continue without a token", raw: rawRequest("POST", "/__runner/task/app.tasks.add", sumBody, lengthLine(sumBody), "Expect: 100-continue")},
			{name: "header block of 20 KB", raw: rawAdd("X-Large: " + letters(20_000))},
		},
	)},
}
