package protocoltest

import "net/http"

func eventCases() []Case {
	// The final payload of notify is what its handlers got.
	returned := func(name, rule, members, value string) Case {
		return Case{Name: name, Rule: rule, Request: event("notify", `{`+members+`"returnPayload":true}`), Want: result(value)}
	}
	accepted := func(name, rule, body string) Case {
		return Case{Name: name, Rule: rule, Request: event("notify", body), Want: ok()}
	}
	truth := func(name, rule, value string, want Want) Case {
		return Case{Name: name, Rule: rule, Request: event("notify", `{"payload":1,"returnPayload":`+value+`}`), Want: want}
	}
	return []Case{
		accepted("payload", "An event is answered with ok alone.", `{"payload":{"a":1}}`),
		accepted("no body", "An event needs no body.", ``),
		accepted("empty object", "An event needs no payload.", `{}`),
		accepted("number", "A body that is no object is accepted.", `5`),
		accepted("null", "A body of null is accepted.", `null`),
		accepted("array", "A body of an array is accepted.", `[1]`),
		returned("payload wanted", "A caller gets the final payload if it asks for it.", `"payload":{"a":1},`, `{"a":1}`),
		returned("payload null wanted", "The payload may be null.", `"payload":null,`, `null`),
		returned("no payload wanted", "An absent payload is returned as undefined.", ``, undefined),
		returned("payload undefined wanted", "The payload may be undefined.", `"payload":{"value":1,"__type":"Undefined"},`, undefined),
		returned("no bare payload", "An object without payload is not the payload.", `"a":1,`, undefined),
		returned("input is no payload", "The member input means nothing to an event.", `"input":1,`, undefined),
		returned("payload in capitals", "The name payload is compared with regard to case.", `"Payload":1,`, undefined),
		returned("payload twice", "Of two members payload the last counts.", `"payload":1,"payload":2,`, `2`),
		{
			Name: "payload changed by handlers", Rule: "The final payload is what the handlers made of it.",
			Request: event("rename", `{"payload":{"name":"ada"},"returnPayload":true}`), Want: result(`{"name":"ADA"}`),
		},
		{
			Name: "changed payload not wanted", Rule: "The final payload is not sent to a caller that did not ask.",
			Request: event("rename", `{"payload":{"name":"ada"}}`), Want: ok(),
		},
		{
			Name: "no handlers", Rule: "An event without handlers is accepted.",
			Request: event("bare", `{"payload":1}`), Want: ok(),
		},
		{
			Name: "no handlers and payload wanted", Rule: "The payload of an event without handlers is returned as it came.",
			Request: event("bare", `{"payload":1,"returnPayload":true}`), Want: result(`1`),
		},
		truth("returnPayload false", "A false returnPayload asks for nothing.", `false`, ok()),
		truth("returnPayload null", "A returnPayload of null asks for nothing.", `null`, ok()),
		truth("returnPayload zero", "A returnPayload of zero asks for nothing.", `0`, ok()),
		truth("returnPayload negative zero", "A returnPayload of zero in any spelling asks for nothing.", `-0.0e5`, ok()),
		truth("returnPayload empty string", "A returnPayload of an empty string asks for nothing.", `""`, ok()),
		truth("returnPayload undefined", "A returnPayload of undefined asks for nothing.", undefined, ok()),
		truth("returnPayload one", "A returnPayload of one counts as true.", `1`, result(`1`)),
		truth("returnPayload fraction", "A returnPayload that is a small number counts as true.", `0.01`, result(`1`)),
		truth("returnPayload string", "A returnPayload of a string counts as true, whatever it says.", `"false"`, result(`1`)),
		truth("returnPayload object", "A returnPayload of an object counts as true.", `{}`, result(`1`)),
		truth("returnPayload array", "A returnPayload of an array counts as true.", `[]`, result(`1`)),
		truth("returnPayload twice", "Of two members returnPayload the last counts.", `true,"returnPayload":false`, ok()),
		{
			Name: "malformed", Rule: "The body of an event must be JSON.",
			Request: event("notify", `{"payload":`), Want: badJSON(),
		},
		{
			Name: "white space", Rule: "A body of white space is no JSON for an event either.",
			Request: event("notify", "  "), Want: badJSON(),
		},
		{
			Name: "too deep", Rule: "The depth limit holds for events.",
			Request: event("notify", `{"payload":`+deepArrays(1001)+`}`), Want: badJSON(),
		},
		{
			Name: "multipart", Rule: "The body of an event is JSON, even if it says to be a form.",
			Request: event("notify", `{"payload":1,"returnPayload":true}`).contentType("multipart/form-data; boundary=x"), Want: result(`1`),
		},
		{
			Name: "octet stream", Rule: "The body of an event is JSON, even if it says to be a stream.",
			Request: event("notify", `{"payload":1,"returnPayload":true}`).contentType("application/octet-stream"), Want: result(`1`),
		},
		{
			Name: "form that is none", Rule: "A form is no body for an event.",
			Request: event("notify", "--x\r\nContent-Disposition: form-data; name=\"__manifest\"\r\n\r\n{}\r\n--x--\r\n").
				contentType("multipart/form-data; boundary=x"), Want: badJSON(),
		},
		{
			Name: "plain error", Rule: "What a handler's plain error says does not leave the process.",
			Request: event("fail", `{"payload":1}`), Want: internal(),
		},
		{
			Name: "typed error", Rule: "A handler's typed error is answered as a task's is.",
			Request: event("quota", `{"payload":1}`),
			Want: failure(http.StatusInternalServerError, "INTERNAL_ERROR", "Quota of 3 exceeded",
				`"id":"app.errors.quota"`, `"data":{"limit":3}`),
		},
		{
			Name: "plain error and payload wanted", Rule: "A failed event returns no payload.",
			Request: event("fail", `{"payload":1,"returnPayload":true}`), Want: internal(),
		},
		{
			Name: "parallel", Rule: "A parallel event is answered like any other.",
			Request: event("parallel", `{"payload":1}`), Want: ok(),
		},
		{
			Name: "parallel and payload wanted", Rule: "A parallel event has no final payload to return.",
			Request: event("parallel", `{"payload":1,"returnPayload":true}`), ParallelEvents: true,
			Want: failure(http.StatusBadRequest, "PARALLEL_EVENT_RETURN_UNSUPPORTED",
				"Event app.events.parallel is marked parallel; returning a payload is not supported."),
		},
		{
			Name: "parallel and malformed", Rule: "The body is checked before the event is.",
			Request: event("parallel", `{"returnPayload":true`), Want: badJSON(), ParallelEvents: true,
		},
	}
}
