package differential_test

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
)

func gzipOf(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text)) // a bytes.Buffer takes everything
	_ = w.Close()
	return b.String()
}

func codedCase(httpCode string) exchange {
	return exchange{name: "httpCode " + httpCode, raw: rawTask("app.tasks.coded", `{"input":{"httpCode":`+httpCode+`}}`)}
}

var errorGroups = []serverPair{
	{name: "errors", cases: []exchange{
		{name: "plain", raw: rawTask("app.tasks.fail", "{}")},
		{name: "typed", raw: rawTask("app.tasks.quota", "{}")},
		{name: "typed, with httpCode", raw: rawTask("app.tasks.teapot", "{}")},
		codedCase("200"), codedCase("201"), codedCase("302"), codedCase("400"), codedCase("401"), codedCase("404"), codedCase("405"), codedCase("429"),
		codedCase("499"), codedCase("500"), codedCase("503"), codedCase("599"),
		codedCase("0"), codedCase("99"), codedCase("600"), codedCase("-1"), codedCase("404.5"), codedCase(`"404"`), codedCase("null"), codedCase("true"),
		codedCase("204"), codedCase("304"),
		{name: "cancelled", raw: rawTask("app.tasks.cancelled", "{}")},
		{name: "result that cannot be sent", raw: rawTask("app.tasks.function", "{}")},
		{name: "no result", raw: rawTask("app.tasks.nothing", "{}")},
		{name: "string result", raw: rawTask("app.tasks.greet", `{"input":{"name":"<Ada> & \"Bob\""}}`)},
		{name: "fraction as a result", raw: rawTask("app.tasks.add", `{"input":{"a":0.1,"b":0.2}}`)},
		{name: "large result", raw: rawTask("app.tasks.add", `{"input":{"a":1e+21,"b":0}}`)},
		{name: "small result", raw: rawTask("app.tasks.add", `{"input":{"a":1e-7,"b":0}}`)},
		{name: "input of another type", raw: rawTask("app.tasks.add", `{"input":{"a":"x","b":1}}`)},
		{name: "input without a member", raw: rawTask("app.tasks.greet", `{"input":{}}`)},
		{name: "no input where one is needed", raw: rawTask("app.tasks.add", "")},
		{name: "failing event", raw: rawEvent("app.events.fail", "{}")},
		{name: "failing event that returns", raw: rawEvent("app.events.fail", `{"payload":1,"returnPayload":true}`)},
		{name: "typed, of an event", raw: rawEvent("app.events.quota", "{}")},
	}},
	{name: "request id", cases: slices.Concat(
		requestIDCases(
			"short", "a",
			"all kinds", "AZaz09._:-",
			"128", letters(128),
			"129", letters(129),
			"UUID", "6ba7b810-9dad-4111-80b4-00c04fd430c8",
			"blanks around", "  abc\t ",
			"empty", "",
			"blank inside", "a b",
			"slash", "a/b",
			"comma", "a,b",
			"non-ASCII", "é",
			"at sign", "a@b",
			"bracket", "a[b",
			"Latin-1 blank", "\xa0a\xa0",
			"UTF-8 blank", "\u00a0a",
			"UTF-8 next line", "\u0085a",
		),
		[]exchange{
			{name: "none", raw: rawTask("app.tasks.nothing", "")},
			{name: "twice", raw: rawTask("app.tasks.nothing", "", "X-Runner-Request-Id: a", "X-Runner-Request-Id: a")},
			{name: "on 401", raw: rawRequest("POST", "/__runner/task/app.tasks.add", "", lengthLine(""), "X-Runner-Request-Id: a")},
			{name: "on 403", raw: rawTask("app.tasks.hidden", "", "X-Runner-Request-Id: a")},
			{name: "on 404", raw: rawGet("/__runner/foo", "X-Runner-Request-Id: a")},
			{name: "on 405", raw: rawGet("/__runner/task/app.tasks.add", "X-Runner-Request-Id: a")},
			{name: "on 500", raw: rawTask("app.tasks.fail", "", "X-Runner-Request-Id: a")},
			{name: "on a typed error", raw: rawTask("app.tasks.teapot", "", "X-Runner-Request-Id: a")},
			{name: "on an event", raw: rawEvent("app.events.notify", "", "X-Runner-Request-Id: a")},
			{name: "on discovery", raw: rawGet("/__runner/discovery", "X-Runner-Request-Id: a")},
			{name: "outside the base path", raw: rawGet("/other", "X-Runner-Request-Id: a")},
			{name: "as the task sees it", raw: rawTask("app.tasks.requestId", "", "X-Runner-Request-Id: a")},
			{name: "as the task sees a bad one", raw: rawTask("app.tasks.requestId", "", "X-Runner-Request-Id: a b")},
		},
	)},
}

func requestIDCases(pairs ...string) (cases []exchange) {
	for i := 0; i < len(pairs); i += 2 {
		cases = append(cases, exchange{
			name: pairs[i],
			raw:  rawTask("app.tasks.nothing", "", "X-Runner-Request-Id: "+pairs[i+1]),
		})
	}
	return cases
}

const (
	notifyTarget   = "/__runner/event/app.events.notify"
	parallelTarget = "/__runner/event/app.events.parallel"
)

func returnCases(values ...string) (cases []exchange) {
	for _, value := range values {
		cases = append(cases, exchange{
			name: "returnPayload of " + value,
			raw:  rawPost(notifyTarget, `{"payload":{"a":1},"returnPayload":`+value+`}`),
		})
	}
	return cases
}

var eventGroups = []serverPair{
	{name: "events", cases: slices.Concat(
		bodyCases(notifyTarget,
			"payload", `{"payload":{"message":"hi"}}`,
			"payload and others", `{"a":1,"payload":2}`,
			"empty object", "{}",
			"object without payload", `{"a":1}`,
			"bare number", "5",
			"bare null", "null",
			"bare string", `"x"`,
			"bare array", "[1]",
			"none", "",
			"input of an event", `{"input":1}`,
			"payload of null", `{"payload":null}`,
			"payload of Undefined", `{"payload":{"__type":"Undefined","value":null}}`,
			"malformed", "{",
			"blanks", " ",
			"depth of 1000", `{"payload":`+nestedArrays(1000)+"}",
			"depth of 1001", `{"payload":`+nestedArrays(1001)+"}",

			"returned null", `{"payload":null,"returnPayload":true}`,
			"returned Undefined", `{"payload":{"__type":"Undefined","value":null},"returnPayload":true}`,
			"returned nothing", `{"returnPayload":true}`,
			"returned, but bare", `[{"returnPayload":true}]`,
			"returned, payload twice", `{"payload":1,"payload":2,"returnPayload":true}`,
			"returned, escaped names", `{"p\u0061yload":1,"return\u0050ayload":true}`,
			"returned, number with a fraction of zero", `{"payload":1.0,"returnPayload":true}`,
			"returnPayload twice", `{"payload":1,"returnPayload":true,"returnPayload":false}`,
		),
		returnCases("true", "false", "1", "0", "-0", "0.0e7", "0.5", `""`, `"false"`, `"0"`, "null", "{}", "[]",
			`{"__type":"Undefined","value":null}`),
		[]exchange{
			{name: "no hooks", raw: rawEvent("app.events.bare", `{"payload":1}`)},
			{name: "no hooks, returned", raw: rawEvent("app.events.bare", `{"payload":1,"returnPayload":true}`)},
			{name: "log", raw: rawEvent("app.events.log", `{"payload":{"level":"info"}}`)},
			{name: "changed", raw: rawEvent("app.events.rename", `{"payload":{"name":"ada"},"returnPayload":true}`)},
			{name: "changed, not returned", raw: rawEvent("app.events.rename", `{"payload":{"name":"ada"}}`)},
			{name: "parallel", raw: rawPost(parallelTarget, `{"payload":1}`)},
			{name: "parallel, returned", raw: rawPost(parallelTarget, `{"payload":1,"returnPayload":true}`)},
			{name: "parallel, returned, malformed", raw: rawPost(parallelTarget, `{"returnPayload":true`)},
			{name: "multipart", raw: rawPost(notifyTarget, "--x--\r\n", "Content-Type: multipart/form-data; boundary=x")},
			{name: "JSON that claims to be multipart", raw: rawPost(notifyTarget, `{"payload":1}`, "Content-Type: multipart/form-data; boundary=x")},
			{name: "JSON that claims to be octets", raw: rawPost(notifyTarget, `{"payload":1}`, "Content-Type: application/octet-stream")},
			{name: "chunked", raw: rawToken("POST", notifyTarget, chunksOf(`{"payload":1,"returnPayload":true}`, 7), "Transfer-Encoding: chunked")},
			{name: "task's id", raw: rawEvent("app.tasks.add", "{}")},
			{name: "listed id in another case", raw: rawEvent(strings.ToUpper("app.events.notify"), "{}")},
		},
	)},
}
