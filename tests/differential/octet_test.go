package differential_test

import (
	"slices"
	"strings"

	"github.com/bluelibs/go-tunnel/tests/testapp"
)

var octetGroups = []serverPair{
	{name: "raw body", app: testapp.FullApp, runnerOnly: true, cases: slices.Concat(
		[]exchange{
			octetCase("empty", "bodyText", ""),
			octetCase("text", "bodyText", "some text, č"),
			octetCase("JSON", "bodyText", `{"input":1}`),
			octetCase("no UTF-8", "bodySum", "\x00\xff\xfe\r\n\r\n"),
			octetCase("64 KiB", "bodySum", letters(64<<10)),
			octetCase("64 KiB + 1", "bodySum", letters(64<<10+1)),
			octetCase("3 MiB", "bodySum", letters(3<<20)),
			{name: "no length", raw: rawToken("POST", "/__runner/task/full.tasks.bodyText", "", octetType)},
			octetChunked("chunked", "bodyText", "some text", 2),
			octetChunked("chunked, empty", "bodyText", "", 2),
			octetChunked("chunked, 1 MiB", "bodySum", letters(1<<20), 100_000),
			{name: "chunk extension and trailer", raw: rawToken("POST", "/__runner/task/full.tasks.bodyText", "4;a=b\r\ntrue\r\n0\r\nX-A: b\r\n\r\n", octetType, "Transfer-Encoding: chunked")},
			{name: "bad chunk", raw: rawToken("POST", "/__runner/task/full.tasks.bodyText", "zz\r\ntrue\r\n0\r\n\r\n", octetType, "Transfer-Encoding: chunked")},
			{name: "cut", cut: true, raw: rawToken("POST", "/__runner/task/full.tasks.bodyText", "tr", octetType, "Content-Length: 4")},
			{name: "cut, chunked", cut: true, raw: rawToken("POST", "/__runner/task/full.tasks.bodyText", "4\r\ntr", octetType, "Transfer-Encoding: chunked")},
			octetCase("gzip", "bodySum", gzipOf("text"), "Content-Encoding: gzip"),
			octetCase("claims gzip", "bodyText", "text", "Content-Encoding: gzip"),
			octetCase("claims brotli", "bodyText", "text", "Content-Encoding: br"),
			octetCase("identity", "bodyText", "text", "Content-Encoding: identity"),
			octetCase("ignored", "bodyIgnored", "some text"),
			octetCase("ignored, 3 MiB", "bodyIgnored", letters(3<<20)),
			octetCase("stopped", "bodyStopped", letters(100_000)),
			octetCase("stopped, empty", "bodyStopped", ""),
			octetCase("piped", "bodyUpper", "some text"),
			octetCase("piped, empty", "bodyUpper", ""),
			octetCase("piped, 1 MiB", "bodyUpper", letters(1<<20)),
			octetChunked("piped, chunked", "bodyUpper", "some text", 3),
			octetCase("request", "bodyRequest", "some text"),
			octetCase("input", "describe", `{"input":1}`),
			octetCase("request of a context", "request", "text"),
			octetCase("request id", "request", "text", "x-runner-request-id: a"),
			octetCase("contexts", "contexts", "text", `x-runner-context: {"full.user":"{\"name\":\"Ann\"}","full.tenant":"T:acme"}`),
			octetCase("contexts not let in", "noContexts", "text", `x-runner-context: {"full.user":"1"}`),
			octetCase("undefined", "value", "text"),
			octetCase("a schema that refuses", "inputSchema", "text"),
			octetCase("timeout", "timeout", "text"),
			octetCase("a task that reads its input", "file", "text"),
			{name: "no token", raw: rawRequest("POST", "/__runner/task/full.tasks.bodyText", "text", octetType, lengthLine("text"))},
			{name: "not listed", raw: rawTask("app.tasks.hidden", "text", octetType)},
			{name: "unread, then a call", answers: 2, raw: rawTask(fullTask+"bodyIgnored", letters(1000), octetType) + rawAdd()},
			{name: "read, then a call", answers: 2, raw: rawTask(fullTask+"bodySum", letters(1000), octetType) + rawAdd()},
			{name: "stopped, then a call", answers: 2, raw: rawTask(fullTask+"bodyStopped", letters(1000), octetType) + rawAdd()},
			{name: "HTTP/1.0", raw: strings.Replace(rawTask(fullTask+"bodyText", "text", octetType), "HTTP/1.1", "HTTP/1.0", 1)},
			{name: "100-continue", raw: rawTask(fullTask+"bodyText", "text", octetType, "Expect: 100-continue")},
			{name: "event", raw: rawEvent("app.events.rename", `{"payload":{"name":"ada"},"returnPayload":true}`, octetType)},
		},
		octetTypeCases(),
		octetResponses(
			"head and body", `[["writeHead",201,{"content-type":"text/plain","x-a":"b"}],["write","some "],["end","text"]]`,
			"status", `[{"status":404},["end","gone"]]`,
			"nothing", `[]`,
		),
	)},
	{name: "read body", app: testapp.FullApp, runnerOnly: true, cases: readBodyCases()},
}

// readBodyCases read the request in all ways, where its bytes have become the input and
// where there are none.
func readBodyCases() (cases []exchange) {
	for _, way := range []string{
		"Text", "Heard", "Ended", "Upper", "Piped", "Pipeline", "Web", "Twice", "Read", "Finished", "Unread", "Unhandled", "Stopped", "Request",
	} {
		cases = append(cases, exchange{name: "form, " + way, raw: rawTask(fullTask+"body"+way, formOf(formInput(`1`)), formType)})
		if way != "Heard" && way != "Ended" { // see TestJSONForTasksThatHear
			cases = append(cases, exchange{name: "JSON, " + way, raw: rawTask(fullTask+"body"+way, `{"input":1}`)})
		}
	}
	return append(cases, octetCase("octets, Heard", "bodyHeard", "text"), octetCase("no octets, Heard", "bodyHeard", ""))
}

func octetChunked(name, task, body string, n int) exchange {
	return exchange{name: name, raw: rawToken("POST", "/__runner/task/"+fullTask+task, chunksOf(body, n), octetType, "Transfer-Encoding: chunked")}
}

// octetTypeCases have types that are octets and others that are JSON.
func octetTypeCases() (cases []exchange) {
	for _, contentType := range []string{
		"application/octet-stream", "APPLICATION/Octet-Stream", "application/octet-stream; a=b", "application/octet-stream;",
		"application/octet-stream;a", " application/octet-stream ", "application/octet-stream ; a=b", "application/octet-stream, text/plain",
		"text/plain; application/octet-stream", "application/octet-stream+json",
	} {
		cases = append(cases, exchange{name: "type " + contentType, raw: rawTask(fullTask+"describe", `{"input":1}`, "Content-Type: "+contentType)})
	}
	return append(cases,
		exchange{name: "two types, the first octets", raw: rawTask(fullTask+"describe", `{"input":1}`, octetType, "Content-Type: text/plain")},
		exchange{name: "two types, the second octets", raw: rawTask(fullTask+"describe", `{"input":1}`, "Content-Type: text/plain", octetType)},
	)
}

func octetResponses(pairs ...string) (cases []exchange) {
	for i := 0; i < len(pairs); i += 2 {
		cases = append(cases, octetCase("response: "+pairs[i], "bodyResponse", `{"steps":`+pairs[i+1]+`,"returns":1}`))
	}
	return cases
}

var responseGroups = []serverPair{
	{name: "response", app: testapp.FullApp, runnerOnly: true, cases: slices.Concat(
		responseCases(
			"head and body", `[["writeHead",201,{"content-type":"text/plain","x-a":"b"}],["write","some "],["end","text"]]`,
			"end", `[["end","text"]]`,
			"end without a body", `[["end"]]`,
			"head alone, then end", `[["writeHead",202],["end"]]`,
			"reason", `[["writeHead",200,"Fine",{"x-a":"b"}],["end","text"]]`,
			"head as an array", `[["writeHead",200,["x-a","b","etag","c"]],["end","text"]]`,
			"status", `[{"status":404},["end","gone"]]`,
			"status of a string", `[{"status":"201"},["end","text"]]`,
			"headers", `[["setHeader","x-a","b"],["setHeader","Content-Type","text/plain"],["end","text"]]`,
			"header of a list", `[["setHeader","x-a",["b","c"]],["end","text"]]`,
			"header of a number", `[["setHeader","x-a",1],["end","text"]]`,
			"header set twice", `[["setHeader","x-a","b"],["setHeader","X-A","c"],["end","text"]]`,
			"header appended", `[["setHeader","x-a","b"],["appendHeader","x-a","c"],["end","text"]]`,
			"header removed", `[["setHeader","x-a","b"],["removeHeader","x-a"],["end","text"]]`,
			"header and head", `[["setHeader","x-a","b"],["writeHead",200,{"x-a":"c","etag":"e"}],["end","text"]]`,
			"length", `[["setHeader","content-length",4],["end","text"]]`,
			"length of a head", `[["writeHead",200,{"Content-Length":4}],["end","text"]]`,
			"request id of its own", `[["setHeader","x-runner-request-id","own"],["end","text"]]`,
			"cookies", `[["setHeader","set-cookie",["a=1","b=2"]],["end","text"]]`,
			"headers of the server", `[["setHeader","x-frame-options","SAMEORIGIN"],["setHeader","access-control-allow-origin","x"],["setHeader","vary","x"],["end","text"]]`,
			"redirect", `[["writeHead",302,{"location":"/elsewhere"}],["end"]]`,
			"no content", `[["writeHead",204],["end"]]`,
			"no content, and some", `[["writeHead",204],["end","text"]]`,
			"not modified", `[["writeHead",304,{"etag":"e"}],["end"]]`,
			"flushed", `[["setHeader","x-a","b"],["flushHeaders"],["end","text"]]`,
			"corked", `[["cork"],["write","a"],["write","b"],["uncork"],["end","c"]]`,
			"base64", `[["write","dGV4dA==","base64"],["end","6368","hex"]]`,
			"slowly", `[["write","a"],{"wait":20},["write","b"],{"wait":20},["end","c"]]`,
			"end twice", `[["end","text"],["end","more"]]`,
			"nothing written", `[["write",""],["end"]]`,
			"large", `[["write","`+letters(300_000)+`"],["end","text"]]`,
			"nothing", `[]`,
			"a status alone", `[{"status":404}]`,
			"a header alone", `[["setHeader","x-a","b"]]`,
			"a type alone", `[["setHeader","content-type","text/plain"]]`,
			"a cookie alone", `[["setHeader","set-cookie","a=b"]]`,
			"the server's headers alone", `[["setHeader","vary","x"],["setHeader","x-frame-options","x"],["setHeader","access-control-allow-origin","x"]]`,
			"status 99", `[{"status":99},["end","text"]]`,
			"status 1000", `[["writeHead",1000],["end","text"]]`,
			"no header", `[["setHeader","a b","c"],["end","text"]]`,
			"no value of a header", `[["setHeader","x-a","b\nc"],["end","text"]]`,
			"header of null", `[["setHeader","x-a",null],["end","text"]]`,
			"no bytes", `[["end",{}]]`,
			"throws at once", `[{"throws":"coded"}]`,
			"a header, then throws", `[["setHeader","x-a","b"],{"throws":"coded"}]`,
			"a status, then throws", `[{"status":201},{"throws":"Error"}]`,
			"ends, then throws", `[["end","text"],{"throws":"coded"}]`,
			"a header after the end", `[["end","text"],["setHeader","x-a","b"]]`,
			"a head after the end", `[["end","text"],["writeHead",201]]`,
			"write after the end", `[["end","text"],["write","more"]]`,
			"destroyed", `[["destroy"]]`,
			"destroyed half-way", `[["write","some"],{"wait":50},["destroy"]]`,
			"early hints", `[["writeEarlyHints",{"link":"</a>; rel=preload"}],["end","text"]]`,
			"processing", `[["writeProcessing"],["end","text"]]`,
			"trailers", `[["writeHead",200,{"trailer":"x-b"}],["write","text"],["addTrailers",{"x-b":"c"}],["end"]]`,
		),
		[]exchange{
			jsonCase("fresh", "freshResponse", "1"),
			jsonCase("ends, and returns a stream", "response", `{"steps":[["end","text"]],"streams":"more"}`),
			jsonCase("a header, and a stream", "response", `{"steps":[["setHeader","x-a","b"]],"streams":"more"}`),
			jsonCase("a status, and a stream", "response", `{"steps":[{"status":201}],"streams":"more"}`),
			jsonCase("a type, and a stream", "response", `{"steps":[["setHeader","content-type","text/plain"]],"streams":"more"}`),
			{name: "HTTP/1.0", raw: strings.Replace(rawTask(fullTask+"response", `{"input":{"steps":[["write","a"],["end","b"]]}}`), "HTTP/1.1", "HTTP/1.0", 1)},
			{name: "then a call", answers: 2, raw: rawTask(fullTask+"response", `{"input":{"steps":[["write","a"],["end","b"]]}}`) + rawAdd()},
		},
	)},
}

// responseCases return one case for each pair of a name and what the task does with the
// response.
func responseCases(pairs ...string) (cases []exchange) {
	for i := 0; i < len(pairs); i += 2 {
		cases = append(cases, jsonCase(pairs[i], "response", `{"steps":`+pairs[i+1]+`,"returns":1}`))
	}
	return cases
}
