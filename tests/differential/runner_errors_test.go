package differential_test

import (
	"slices"

	"github.com/bluelibs/go-tunnel/tests/testapp"
)

// thrownErrors are names in the table throwing of testdata/runner/thrown.js.
var thrownErrors = []string{
	"plain", "plain, line separator", "plain, typed data", "plain, no data", "coded", "coded, typed data", "coded, another code", "coded, a bad code",
	"coded, 500", "plain, a code", "plain, another message", "plain, empty message", "plain, another name", "plain, more members",
	"plain, data that cannot be sent", "plain, cycle in data", "plain, data null", "plain, data undefined", "plain, data a string",
	"plain, data with names of the serializer",
	"helped", "helped with", "mute", "no data", "no data, coded", "data that its schema refuses",
	"unregistered", "forged", "Error", "protocol error", "string", "object", "null", "undefined", "number", "no prototype",
	"object that cannot be printed", "cancellation", "cancellation without a reason", "cancellation, a code", "error with a cause",
	"not there",
}

var runnerErrorGroups = []serverPair{
	{
		name: "thrown", app: testapp.FullApp, runnerOnly: true,
		cases: namedCases("/__runner/task/full.tasks.throw", `{"input":%}`, thrownErrors...),
	},
	{
		name: "thrown at once", app: testapp.FullApp, runnerOnly: true,
		cases: namedCases("/__runner/task/full.tasks.throwAtOnce", `{"input":%}`, thrownErrors...),
	},
	{
		name: "thrown by a hook", app: testapp.FullApp, runnerOnly: true,
		cases: namedCases("/__runner/event/full.events.throw", `{"payload":%}`, thrownErrors...),
	},
	{
		name: "thrown by a hook, payload wanted", app: testapp.FullApp, runnerOnly: true,
		cases: namedCases("/__runner/event/full.events.throw", `{"payload":%,"returnPayload":true}`, thrownErrors...),
	},
	{
		name: "thrown by a parallel hook", app: testapp.FullApp, runnerOnly: true,
		cases: namedCases("/__runner/event/full.events.parallelThrow", `{"payload":%}`, thrownErrors...),
	},
	{
		name: "thrown by two parallel hooks", app: testapp.FullApp, runnerOnly: true,
		cases: namedCases("/__runner/event/full.events.parallelThrowTwice", `{"payload":%}`, thrownErrors...),
	},
	{name: "middleware", app: testapp.FullApp, runnerOnly: true, cases: slices.Concat(
		[]exchange{
			{name: "timeout", raw: rawTask("full.tasks.timeout", "")},
			{name: "in time", raw: rawTask("full.tasks.inTime", "")},
			{name: "first within the rate", raw: rawTask("full.tasks.rateLimit", "")},
			{name: "second within the rate", raw: rawTask("full.tasks.rateLimit", "")},
			{name: "beyond the rate", raw: rawTask("full.tasks.rateLimit", "")},
			{name: "first failure of a circuit", raw: rawTask("full.tasks.circuit", "")},
			{name: "second failure of a circuit", raw: rawTask("full.tasks.circuit", "")},
			{name: "open circuit", raw: rawTask("full.tasks.circuit", "")},
			{name: "fallback", raw: rawTask("full.tasks.fallback", "")},
			{name: "relayed by a tunnel", raw: rawTask("full.tasks.relayed", `{"input":`+typed("Date", "0")+`}`)},
			{name: "client's tunnel", raw: rawTask("full.tasks.clientOnly", "")},
			{name: "client's event", raw: rawEvent("full.events.clientOnly", "")},
		},
		bodyCases("/__runner/task/full.tasks.inputSchema",
			"input that fits", `{"input":1}`, "input that does not fit", `{"input":"1"}`, "no input where one is checked", "",
			"bare input that fits", "1", "input that does not decode", `{"input":`+typed("Unknown", "1")+`}`),
		bodyCases("/__runner/task/full.tasks.resultSchema",
			"result that fits", `{"input":1}`, "result that does not fit", `{"input":"1"}`),
		bodyCases("/__runner/event/full.events.validated",
			"payload that fits", `{"payload":1}`, "payload that fits, returned", `{"payload":1,"returnPayload":true}`,
			"payload that does not fit", `{"payload":"1"}`, "payload that does not fit, returned", `{"payload":"1","returnPayload":true}`,
			"no payload where one is checked", ""),
	)},
}
