package differential_test

import (
	"slices"

	"github.com/bluelibs/go-tunnel/tests/testapp"
)

// listCases ask what a tunnel lets in.
var listCases = slices.Concat(
	[]exchange{{name: "discovery", raw: rawGet("/__runner/discovery")}},
	casesTo("POST",
		"/__runner/task/app.tasks.add", "/__runner/task/full.tasks.contexts", "/__runner/task/full.tasks.describe",
		"/__runner/task/full.tasks.clientOnly", "/__runner/task/full.tasks.relayed", "/__runner/task/full.tasks.noContexts", "/__runner/task/full.tasks.absent",
		"/__runner/task/full.events.parallel", "/__runner/event/full.tasks.contexts",
		"/__runner/event/app.events.notify", "/__runner/event/full.events.parallel", "/__runner/event/full.events.order",
		"/__runner/event/full.events.clientOnly", "/__runner/event/full.events.noContexts",
		"/__runner/task/globals.tasks.anything", "/__runner/event/globals.events.ready",
	),
)

var runnerEventGroups = []serverPair{
	{name: "tunnels of arrays", app: testapp.FullApp, runnerOnly: true, cases: listCases},
	{name: "tunnels of predicates", app: withFull(map[string]any{"selectors": "predicates"}, nil), runnerOnly: true, cases: listCases},
	{name: "tunnel of predicates alone", app: withFull(map[string]any{"selectors": "predicates"}, map[string]any{"noTunnel": true}), runnerOnly: true, cases: listCases},
	{name: "tunnels without a server", app: withFull(map[string]any{"selectors": "none"}, map[string]any{"noTunnel": true}), runnerOnly: true, cases: listCases},
	{name: "hooks", app: testapp.FullApp, runnerOnly: true, cases: slices.Concat(
		bodyCases("/__runner/event/full.events.order",
			"order", `{"payload":[],"returnPayload":true}`,
			"order, not returned", `{"payload":[]}`,
			"payload that the hooks cannot take", `{"payload":1,"returnPayload":true}`,
			"no payload that the hooks could take", `{"returnPayload":true}`,
		),
		bodyCases("/__runner/event/full.events.stop", "stopped", `{"payload":[],"returnPayload":true}`),
		bodyCases("/__runner/event/full.events.parallel",
			"parallel", `{"payload":1}`,
			"parallel, returned", `{"payload":1,"returnPayload":true}`,
			"parallel, returnPayload of 1n", `{"payload":1,"returnPayload":`+typed("BigInt", `"1"`)+`}`,
			"parallel, returned, bad payload", `{"payload":`+typed("Unknown", "1")+`,"returnPayload":true}`,
			"parallel, no payload", "",
		),
		bodyCases(changeEventTarget,
			"changed Map", `{"payload":`+typed("Map", "[]")+`,"returnPayload":true}`,
			"changed array", `{"payload":[`+typed("Date", "0")+`],"returnPayload":true}`,
			"changed, not returned", `{"payload":[]}`,
			"no payload", `{"returnPayload":true}`,
			"payload of Undefined", `{"payload":`+typed("Undefined", "null")+`,"returnPayload":true}`,
		),
	)},
}
