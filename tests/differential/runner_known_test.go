package differential_test

import (
	"slices"
	"strings"
)

// The differences of a Runner application as a worker: between the body and the value
// that the server takes out of it, between the request and what a worker is told of it.
var runnerDifferences = slices.Concat(bodyDifferences, requestDifferences, []difference{
	{
		reason: "goccy/go-json escapes U+2028 in the message of an error: the same string, spelled in another way",
		what: []string{bodyDiffers(
			"{\"ok\":false,\"error\":{\"message\":\"Plain \u2028\",\"code\":\"INTERNAL_ERROR\",\"id\":\"full.errors.plain\",\"data\":{\"text\":\"\u2028\"}}}",
			"{\"ok\":false,\"error\":{\"message\":\"Plain \\u2028\",\"code\":\"INTERNAL_ERROR\",\"id\":\"full.errors.plain\",\"data\":{\"text\":\"\u2028\"}}}",
		)},
		cases: []string{
			"thrown/plain, line separator", "thrown at once/plain, line separator", "thrown by a hook/plain, line separator",
			"thrown by a hook, payload wanted/plain, line separator", "thrown by a parallel hook/plain, line separator",
		},
	},
})

const (
	besideReason = "the server takes the value out of the body, and what stands beside it is never decoded"
	rootReason   = "the server reads the root of the body before it is decoded, when only its spelling counts; no client sends such a root"
)

func differsIn(reason, name string, what ...string) difference {
	return difference{reason: reason, executor: "runner", what: what, cases: []string{name}}
}

// resultDiffers is a difference in nothing but the result.
func resultDiffers(reason, name, theirs, ours string) difference {
	return differsIn(reason, name, bodyDiffers(`{"ok":true,"result":`+theirs+`}`, `{"ok":true,"result":`+ours+`}`))
}

// decodedHere is what Runner refuses to decode and ours does not look at.
func decodedHere(reason, name, ours string) difference {
	return differsIn(reason, name, "status: 400, ours: 200", bodyDiffers(invalidJSONAnswer, ours))
}

var bodyDifferences = []difference{
	decodedHere(besideReason, "body/unknown type beside input", `{"ok":true,"result":"number 1"}`),
	decodedHere(besideReason, "body/unsafe RegExp beside input", `{"ok":true,"result":"number 1"}`),
	decodedHere(besideReason, "body/event: unknown type beside payload", `{"ok":true,"result":1}`),
	decodedHere(besideReason, "body/event: bad value of a bare body", `{"ok":true}`),
	decodedHere(besideReason, "body/returnPayload of an unknown type", `{"ok":true,"result":1}`),
	differsIn("returnPayload is an object then, which is true: clients send true or nothing", "body/returnPayload of NaN",
		bodyDiffers(`{"ok":true}`, `{"ok":true,"result":1}`)),
	differsIn("returnPayload is an object then, which is true: clients send true or nothing", "body/returnPayload of 0n",
		bodyDiffers(`{"ok":true}`, `{"ok":true,"result":1}`)),

	resultDiffers(rootReason, "body/Date beside input", `"Date 1970-01-01T00:00:00.000Z"`, `"number 1"`),
	resultDiffers(rootReason, "body/escaped input", `"number 1"`, `["Object",["input","number 1"]]`),
	differsIn(rootReason, "body/event: Date beside payload", bodyDiffers(`{"ok":true}`, `{"ok":true,"result":1}`)),
	resultDiffers(rootReason, "body/event: escaped payload", "1", typed("Undefined", "null")),
	differsIn(rootReason, "body/event: escaped returnPayload", bodyDiffers(`{"ok":true,"result":1}`, `{"ok":true}`)),
	differsIn(rootReason, "JSON/depth of 1000 as the root",
		"status: 500, ours: 400", bodyDiffers(internalAnswer, invalidJSONAnswer)), // it becomes an input, one level deeper

	// The serializer knows a graph at the root only. Clients write trees.
	resultDiffers(rootReason, "body/graph and input", `"number 1"`, `"number 2"`),
	differsIn(rootReason, "body/event: graph", bodyDiffers(`{"ok":true,"result":1}`, `{"ok":true}`)),
	resultDiffers(rootReason, "bare value/graph inside", `["Object"]`,
		describedGraph("n0", `["n0",["Object",["kind","\"object\""],["value",["Object"]]]]`)),
	resultDiffers(rootReason, "body/graph",
		`["Array",["0","cycle 1"],["1","Date 1970-01-01T00:00:00.000Z"],["length","number 2"]]`,
		describedGraph("n0",
			`["n0",["Object",["kind","\"object\""],["value",["Object",["input",["Object",["__ref","\"n1\""]]]]]]]`,
			`["n1",["Object",["kind","\"array\""],["value",["Array",["0",["Object",["__ref","\"n1\""]]],["1",["Object",["__ref","\"n2\""]]],["length","number 2"]]]]]`,
			`["n2",["Object",["kind","\"type\""],["type","\"Date\""],["value","number 0"]]]`)),
	resultDiffers(rootReason, "body/graph without input",
		`["Array",["0","number 1"],["1","cycle 1"],["length","number 2"]]`,
		describedGraph("n0",
			`["n0",["Object",["kind","\"array\""],["value",["Array",["0","number 1"],["1",["Object",["__ref","\"n0\""]]],["length","number 2"]]]]]`)),
	decodedHere(rootReason, "body/graph of a bad reference", `{"ok":true,"result":`+
		describedGraph("n9", `["n0",["Object",["kind","\"object\""],["value",["Object"]]]]`)+`}`),
}

// describedGraph is how describe in testdata/runner/values.js shows a graph that was not
// decoded.
func describedGraph(root string, nodes ...string) string {
	return `["Object",["__graph","true"],["version","number 1"],["root",["Object",["__ref",` + jsonOf(`"`+root+`"`) + `]]],` +
		`["nodes",["Object",` + strings.Join(nodes, ",") + `]]]`
}

const requestTarget = "/__runner/task/full.tasks.request"

// requestAnswer is what full.tasks.request answers where only these headers, pairs of a
// name and JSON, are of interest.
func requestAnswer(url, target string, headers ...string) string {
	headers = append(headers, "x-runner-request-id", `"`+newID+`"`, "x-runner-token", `"secret"`)
	pairs := make([]string, 0, len(headers)/2)
	for i := 0; i < len(headers); i += 2 {
		pairs = append(pairs, `["`+headers[i]+`",`+headers[i+1]+`]`)
	}
	slices.Sort(pairs)
	return `{"ok":true,"result":{"url":"URL ` + url + `","basePath":"/__runner","method":"POST","signal":[true,false,true],` +
		`"headers":[` + strings.Join(pairs, ",") + `],"req":["POST","` + target + `","` + newID + `"],"has":true}}`
}

// headerDiffers is a difference in what the task sees of one header, as JSON.
func headerDiffers(reason, name, header, theirs, ours string) difference {
	answer := func(value string) string {
		return requestAnswer("http://localhost"+requestTarget, requestTarget,
			"content-length", `"0"`, "host", `"localhost"`, header, value)
	}
	return differsIn(reason, "request as the task sees it/"+name, bodyDiffers(answer(theirs), answer(ours)))
}

const (
	chunkedReason = "net/http takes Transfer-Encoding and Trailer away from a Handler"
)

var requestDifferences = []difference{
	headerDiffers("a header is a string, Set-Cookie as well, which is none of a request", "Set-Cookie", "set-cookie",
		`["a=1","b=2"]`, `"a=1, b=2"`),
	differsIn(chunkedReason, "request as the task sees it/chunked", bodyDiffers(
		requestAnswer("http://localhost"+requestTarget, requestTarget, "host", `"localhost"`, "transfer-encoding", `"chunked"`),
		requestAnswer("http://localhost"+requestTarget, requestTarget, "host", `"localhost"`))),
	differsIn(chunkedReason, "request as the task sees it/trailer", bodyDiffers(
		requestAnswer("http://localhost"+requestTarget, requestTarget, "host", `"localhost"`, "trailer", `"X-A"`, "transfer-encoding", `"chunked"`),
		requestAnswer("http://localhost"+requestTarget, requestTarget, "host", `"localhost"`))),
	differsIn("net/http takes the host of a whole URL for the Host header, as RFC 9112 (section 3.2.2) asks",
		"request as the task sees it/whole URL", bodyDiffers(
			requestAnswer("http://anything:81"+requestTarget+"?q", "http://anything:81"+requestTarget+"?q", "content-length", `"0"`, "host", `"localhost"`),
			requestAnswer("http://anything:81"+requestTarget+"?q", "http://anything:81"+requestTarget+"?q", "content-length", `"0"`, "host", `"anything:81"`))),
	{
		reason: "net/http takes a target beyond ASCII",
		what: bareThere("status: 400, ours: 200",
			requestAnswer("http://localhost"+requestTarget+"?%C3%A9", requestTarget+"?é", "content-length", `"0"`, "host", `"localhost"`)),
		cases: []string{"request as the task sees it/beyond ASCII"},
	},
	{
		reason: "gzip bodies are decoded, which the headers do not show",
		what: []string{"status: 400, ours: 200", bodyDiffers(invalidJSONAnswer, requestAnswer("http://localhost"+requestTarget, requestTarget,
			"content-encoding", `"gzip"`, "content-length", jsonOf(lengthOf(gzipOf("1"))), "host", `"localhost"`))},
		cases: []string{"request as the task sees it/gzip body"},
	},
}

func lengthOf(text string) string { return strings.TrimPrefix(lengthLine(text), "Content-Length: ") }
