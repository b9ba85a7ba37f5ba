package differential_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/bluelibs/go-tunnel/tests/internal/runner6"
)

func task6(name, body string, lines ...string) exchange {
	return exchange{name: name, raw: rawTask("app.tasks."+name, body, lines...)}
}

// thrown6 are names in the table throwing of testdata/runner6/thrown.js.
var thrown6 = append(slices.Clone(thrownErrors),
	"relayed", "relayed, no code", "relayed, plain", "relayed, unknown", "relayed, a short id", "relayed, a bad code", "relayed, no error")

var contextHeaders6 = []string{
	"user", `{"app.asyncContexts.user":"{\"name\":\"Ann\"}"}`,
	"both", `{"app.asyncContexts.user":"1","app.asyncContexts.tenant":"T:acme"}`,
	"short ids", `{"user":"1","tenant":"T:acme"}`,
	"tenant that its parser refuses", `{"app.asyncContexts.tenant":"acme","app.asyncContexts.user":"1"}`,
	"no JSON", "user=1",
	"empty", "",
	"unknown", `{"app.asyncContexts.other":"1"}`,
}

func groups6(t *testing.T, keys *runner6.Keys) []group6 {
	return []group6{
		{"routing", slices.Concat(
			[]exchange{
				{name: "discovery", raw: rawGet("/__runner/discovery")},
				{name: "discovery without a token", raw: rawRequest("GET", "/__runner/discovery", "")},
				{name: "discovery by POST", raw: rawPost("/__runner/discovery", "")},
				{name: "no token", raw: rawRequest("POST", "/__runner/task/app.tasks.add", sumBody, lengthLine(sumBody))},
				{name: "no token for what is not listed", raw: rawRequest("POST", "/__runner/task/app.tasks.hidden", sumBody, lengthLine(sumBody))},
				{name: "preflight", raw: rawRequest("OPTIONS", "/__runner/task/app.tasks.add", "", "Origin: https://a.example", "Access-Control-Request-Method: POST")},
				{name: "origin", raw: rawTask("app.tasks.add", sumBody, "Origin: https://a.example")},
				{name: "request id", raw: rawTask("app.tasks.add", sumBody, "X-Runner-Request-Id: mine")},
				{name: "outside", raw: rawGet("/other")},
			},
			casesTo("POST", "/__runner/task/app.tasks.add", "/__runner/task/app.tasks.hidden", "/__runner/task/app.tasks.absent",
				"/__runner/task/app.tasks.theirTask", "/__runner/task/app.events.bare", "/__runner/event/app.events.bare",
				"/__runner/event/app.events.theirEvent", "/__runner/event/app.tasks.add", "/__runner/event/app.events.absent",
				"/__runner/task/", "/__runner/task", "/__runner/other/x", "/__runner/task/%E0%A4%A", "/__runner//task//app.tasks.add"),
			casesTo("GET", "/__runner/task/app.tasks.add", "/__runner/event/app.events.bare"),
		)},
		{"aliases", casesTo("POST",
			"/__runner/task/add", "/__runner/task/ADD", "/__runner/task/tasks.add", "/__runner/task/hmacTask", "/__runner/task/twin",
			"/__runner/task/app.tasks.twin", "/__runner/task/hidden", "/__runner/task/absent", "/__runner/task/bare", "/__runner/event/bare",
			"/__runner/event/add", "/__runner/event/twinEvent", "/__runner/task/theirTask", "/__runner/event/theirEvent",
			"/__runner/task/app", "/__runner/task/%61dd", "/__runner/task/__proto__", "/__runner/task/constructor", "/__runner/task/user",
		)},
		{"values", valueCases("/__runner/task/app.tasks.describe", `{"input":%}`, sentValues...)},
		{"values of events", valueCases("/__runner/event/app.events.described", `{"payload":{"value":%},"returnPayload":true}`, sentValues[:40]...)},
		{"results", namedCases("/__runner/task/app.tasks.value", `{"input":%}`, returnedValues...)},
		{"thrown", namedCases("/__runner/task/app.tasks.throw", `{"input":%}`, thrown6...)},
		{"relayed", namedCases("/__runner/task/app.tasks.relay", `{"input":%}`, thrown6...)},
		{"thrown by a hook", namedCases("/__runner/event/app.events.thrown", `{"payload":%}`, thrown6...)},
		{"middleware", slices.Concat(
			[]exchange{
				task6("timeout", ""), task6("fallback", ""),
				{name: "first within the rate", raw: rawTask("app.tasks.rateLimit", "")},
				{name: "second within the rate", raw: rawTask("app.tasks.rateLimit", "")},
				{name: "beyond the rate", raw: rawTask("app.tasks.rateLimit", "")},
				{name: "first failure of a circuit", raw: rawTask("app.tasks.circuit", "")},
				{name: "second failure of a circuit", raw: rawTask("app.tasks.circuit", "")},
				{name: "open circuit", raw: rawTask("app.tasks.circuit", "")},
				{name: "relayed value", raw: rawTask("app.tasks.relay", `{"input":[1]}`)},
			},
			bodyCases("/__runner/task/app.tasks.inputSchema", "input that fits", `{"input":1}`, "input that does not fit", `{"input":"1"}`, "no input", ""),
			bodyCases("/__runner/task/app.tasks.resultSchema", "result that fits", `{"input":1}`, "result that does not fit", `{"input":"1"}`),
			bodyCases("/__runner/event/app.events.validated",
				"payload that fits", `{"payload":1}`, "payload that fits, returned", `{"payload":1,"returnPayload":true}`,
				"payload that does not fit", `{"payload":"1"}`, "no payload", ""),
		)},
		{"events", slices.Concat(
			bodyCases("/__runner/event/app.events.changed",
				"array", `{"payload":[],"returnPayload":true}`, "map", `{"payload":`+typed("Map", "[]")+`,"returnPayload":true}`,
				"not returned", `{"payload":[]}`, "no payload", "", "malformed", `{"payload":`),
			bodyCases("/__runner/event/app.events.parallel", "parallel", `{"payload":1}`, "parallel, returned", `{"payload":1,"returnPayload":true}`),
			bodyCases("/__runner/event/app.events.bare", "bare", `{"payload":1}`, "bare, returned", `{"payload":1,"returnPayload":true}`),
		)},
		{"bodies", bodyCases("/__runner/task/app.tasks.echo",
			"input", `{"input":{"a":[1,null]}}`, "bare", `[1]`, "object without input", `{"a":1}`, "nothing", "", "malformed", `{"input":`, "null", "null")},
		{"origin", []exchange{
			task6("origin", ""),
			{name: "of an event", raw: rawEvent("app.events.origins", `{"payload":{},"returnPayload":true}`)},
			{name: "of a relayed call", raw: rawTask("app.tasks.relay", `{"input":{"a":1}}`)},
		}},
		{"request", []exchange{
			task6("request", ""),
			{name: "by its short name", raw: rawTask("request", `{"input":1}`)},
			{name: "query", raw: rawTask("app.tasks.request?a=b", "")},
		}},
		{"contexts", contextCases6("app.tasks.contexts", "")},
		{"some contexts", contextCases6("app.tasks.someContexts", "")},
		{"all contexts", contextCases6("app.tasks.allContexts", "")},
		{"contexts of events", eventContextCases6("app.events.contextsSeen")},
		{"some contexts of events", eventContextCases6("app.events.someContextsSeen")},
		{"bytes", bytes6()},
		{"lanes", laneCases(t, keys)},
	}
}

func contextCases6(id, body string) (cases []exchange) {
	for i := 0; i < len(contextHeaders6); i += 2 {
		cases = append(cases, exchange{name: contextHeaders6[i], raw: rawTask(id, body, "X-Runner-Context: "+contextHeaders6[i+1])})
	}
	return cases
}

func eventContextCases6(id string) (cases []exchange) {
	for i := 0; i < len(contextHeaders6); i += 2 {
		raw := rawEvent(id, `{"payload":{},"returnPayload":true}`, "X-Runner-Context: "+contextHeaders6[i+1])
		cases = append(cases, exchange{name: contextHeaders6[i], raw: raw})
	}
	return cases
}

// uploadForm is a form with one file for the upload tasks.
var uploadForm = formOf(formInput(`{"files":{"a":`+sentinel("a")+`},"read":["a"]}`), formFile("a", "content of a"))

func bytes6() []exchange {
	return []exchange{
		{name: "upload", raw: rawTask("app.tasks.upload", uploadForm, formType)},
		{name: "form without a manifest", raw: rawTask("app.tasks.upload", formOf(formFile("a", "x")), formType)},
		{name: "form without its file", raw: rawTask("app.tasks.upload", formOf(formInput(`{"files":{"a":`+sentinel("a")+`},"read":["a"]}`)), formType)},
		{name: "body", raw: rawTask("app.tasks.body", letters(100_000), octetType)},
		{name: "empty body", raw: rawTask("app.tasks.body", "", octetType)},
		{name: "duplex", raw: rawTask("app.tasks.duplex", "abc", octetType)},
		{name: "JSON for a body", raw: rawTask("app.tasks.body", `{"input":1}`)},
		{name: "JSON for a duplex", raw: rawTask("app.tasks.duplex", `{"input":1}`)},
		{name: "stream", raw: rawTask("app.tasks.stream", `{"input":{"size":100000}}`)},
		{name: "stream with a status", raw: rawTask("app.tasks.stream", `{"input":{"size":10,"status":201,"contentType":"text/plain","headers":{"X-A":"b"}}}`)},
		{name: "too large", raw: rawTask("app.tasks.echo", `"`+strings.Repeat("x", 2<<20)+`"`)},
	}
}
