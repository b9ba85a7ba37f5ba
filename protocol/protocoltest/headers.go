package protocoltest

import "strings"

func headerCases() []Case {
	const all = "ABCXYZ-abcxyz_0189.:-"
	given := func(name, rule, id string) Case {
		return Case{Name: name, Rule: rule, Request: add().with("x-runner-request-id", id), Want: result(`8`).id(id)}
	}
	replaced := func(name, rule, id string) Case {
		return Case{Name: name, Rule: rule, Request: add().with("x-runner-request-id", id), Want: result(`8`)}
	}
	withID := func(r Request) Request { return r.with("x-runner-request-id", "id-1") }
	return []Case{
		given("request id", "A request id is sent back.", "id-1"),
		given("request id of every character", "A request id may have letters, digits, dots, underscores, colons and hyphens.", all),
		given("request id of one character", "A request id may be one character long.", "a"),
		given("request id of 128 characters", "A request id may be 128 characters long.", strings.Repeat("a", 128)),
		{
			Name: "no request id", Rule: "A request without an id gets one, a random UUID in lower case.",
			Request: add(), Want: result(`8`),
		},
		{
			Name: "blanks around a request id", Rule: "Blanks around a request id are not part of it.",
			Request: add().with("x-runner-request-id", " \tid-1\t "), Want: result(`8`).id("id-1"), HTTP1Only: true,
		},
		replaced("request id of 129 characters", "A request id of more than 128 characters is replaced.", strings.Repeat("a", 129)),
		replaced("empty request id", "An empty request id is replaced.", ""),
		replaced("request id with a space", "A request id with a space is replaced.", "id 1"),
		replaced("request id with a slash", "A request id with a slash is replaced.", "id/1"),
		replaced("request id with a comma", "A request id with a comma is replaced.", "id,1"),
		replaced("request id with a tab", "A request id with a tab is replaced.", "id\t1"),
		replaced("request id with a bracket", "A request id with a character between the letters is replaced.", "id[1]@`{"),
		replaced("request id beyond ASCII", "A request id beyond ASCII is replaced.", "idé"),
		{
			Name: "request id twice", Rule: "A repeated request id is replaced.",
			Request: withID(withID(add())), Want: result(`8`),
		},
		{
			Name: "request id of an event", Rule: "The answer to an event has the request id.",
			Request: withID(event("notify", `{}`)), Want: ok().id("id-1"),
		},
		{
			Name: "request id of discovery", Rule: "Discovery has the request id.",
			Setup: Setup{Closed: true}, Request: withID(get(base + "/discovery")),
			Want: result(`{"allowList":{"enabled":false,"tasks":[],"events":[]}}`).id("id-1"),
		},
		{
			Name: "request id with 401", Rule: "An answer about the caller has the request id.",
			Request: withID(add().noToken()), Want: unauthorized().id("id-1"),
		},
		{
			Name: "request id with 403", Rule: "An answer about the allow-list has the request id.",
			Request: withID(task("hidden", `{}`)), Want: forbidden("Task app.tasks.hidden not exposed").id("id-1"),
		},
		{
			Name: "request id with 404", Rule: "An answer about an unknown path has the request id.",
			Request: withID(get(base + "/foo")), Want: notFound().id("id-1"),
		},
		{
			Name: "request id with 405", Rule: "An answer about the method has the request id.",
			Request: withID(get(addPath)), Want: wrongMethod("POST, OPTIONS").id("id-1"),
		},
		{
			Name: "request id with 400", Rule: "An answer about the body has the request id.",
			Request: withID(task("add", `{`)), Want: badJSON().id("id-1"),
		},
		{
			Name: "request id with 500", Rule: "An internal error has the request id.",
			Request: withID(task("fail", `{}`)), Want: internal().id("id-1"),
		},
		{
			Name: "request id outside the base", Rule: "An answer outside the base has no request id, even if one was sent.",
			Request: withID(get("/foo")), Want: outside(),
		},
		{
			Name: "head", Rule: "An answer to HEAD has the headers of the whole one and no body.",
			Request: withID(send("HEAD", addPath, "")), Want: wrongMethod("POST, OPTIONS").id("id-1"),
		},
		{
			Name: "contexts that are none", Rule: "A header of contexts that cannot be read is ignored.",
			Request: add().with("x-runner-context", "{nonsense"), Want: result(`8`),
		},
		{
			Name: "contexts that nobody knows", Rule: "Contexts that nobody knows are ignored.",
			Request: add().with("x-runner-context", `{"unknown":"1"}`), Want: result(`8`),
		},
	}
}
