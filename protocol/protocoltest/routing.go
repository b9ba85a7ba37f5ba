package protocoltest

import (
	"net/http"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

func routingCases() []Case {
	odd := result(`"odd"`)
	return []Case{
		{
			Name: "task", Rule: "POST to base/task/{id} runs the task of that id.",
			Request: add(), Want: result(`8`),
		},
		{
			Name: "event", Rule: "POST to base/event/{id} emits the event of that id.",
			Request: event("notify", `{"payload":{"message":"hi"}}`), Want: ok(),
		},
		{
			Name: "base alone", Rule: "The base path itself is no endpoint.",
			Request: post(base, addBody), Want: notFound(),
		},
		{
			Name: "base with a slash", Rule: "The base path with a slash is no endpoint.",
			Request: post(base+"/", addBody), Want: notFound(),
		},
		{
			Name: "task without an id", Rule: "A task path without an id does not exist.",
			Request: post(base+"/task", addBody), Want: notFound(),
		},
		{
			Name: "task with an empty id", Rule: "A task path whose id is nothing but slashes does not exist.",
			Request: post(base+"/task///", addBody), Want: notFound(),
		},
		{
			Name: "event without an id", Rule: "An event path without an id does not exist.",
			Request: post(base+"/event/", ""), Want: notFound(),
		},
		{
			Name: "unknown endpoint", Rule: "A path below the base that is none of the three endpoints does not exist.",
			Request: post(base+"/foo/app.tasks.add", addBody), Want: notFound(),
		},
		{
			Name: "word with a capital", Rule: "The words task, event and discovery are lower case.",
			Request: post(base+"/Task/app.tasks.add", addBody), Want: notFound(),
		},
		{
			Name: "escaped word", Rule: "The words task, event and discovery are not percent-decoded.",
			Request: post(base+"/t%61sk/app.tasks.add", addBody), Want: notFound(),
		},
		{
			Name: "word with more letters", Rule: "The words task, event and discovery stand alone in their segment.",
			Request: post(base+"/tasks/app.tasks.add", addBody), Want: notFound(),
		},
		{
			Name: "escaped base", Rule: "The base path is not percent-decoded.",
			Request: post("/%5f%5frunner/task/app.tasks.add", addBody), Want: outside(),
		},
		{
			Name: "base as a prefix of a word", Rule: "The base path ends where a segment ends.",
			Request: post(base+"x/task/app.tasks.add", addBody), Want: outside(),
		},
		{
			Name: "base in capitals", Rule: "The base path is compared with regard to case.",
			Request: post("/__RUNNER/task/app.tasks.add", addBody), Want: outside(),
		},
		{
			Name: "outside the base", Rule: "A path outside the base is answered with 404 and no request id.",
			Request: post("/other", addBody), Want: outside(),
		},
		{
			Name: "root", Rule: "The root is outside the base.",
			Request: get("/"), Want: outside(),
		},
		{
			Name: "options outside the base", Rule: "There is no preflight outside the base.",
			Request: options("/other"), Want: outside(),
		},
		{
			Name: "task id as an event", Rule: "Tasks and events have separate ids.",
			Request: post(base+"/event/app.tasks.add", `{}`), Want: forbidden("Event app.tasks.add not exposed"),
		},
		{
			Name: "event id as a task", Rule: "Events and tasks have separate ids.",
			Request: post(base+"/task/app.events.notify", `{}`), Want: forbidden("Task app.events.notify not exposed"),
		},
		{
			Name: "id in capitals", Rule: "Ids are compared with regard to case.",
			Request: task("ADD", addBody), Want: forbidden("Task app.tasks.ADD not exposed"),
		},
		{
			Name: "base path of several segments", Rule: "The base path may have several segments.",
			Setup:   Setup{BasePath: "/api/v1"},
			Request: post("/api/v1/task/app.tasks.add", addBody), Want: result(`8`),
		},
		{
			Name: "base path in need of slashes", Rule: "A missing leading slash of the base path is added, a trailing one taken off.",
			Setup:   Setup{BasePath: "api/v1/"},
			Request: post("/api/v1/task/app.tasks.add", addBody), Want: result(`8`),
		},
		{
			Name: "default base with another one configured", Rule: "A configured base path replaces the default one.",
			Setup:   Setup{BasePath: "/api/v1"},
			Request: add(), Want: outside(),
		},
		{
			Name: "base path of the root", Rule: "The base path may be the root.",
			Setup:   Setup{BasePath: "/"},
			Request: post("/task/app.tasks.add", addBody), Want: result(`8`),
		},
		{
			Name: "unknown path below the root", Rule: "With the root as base every path is below it.",
			Setup:   Setup{BasePath: "/"},
			Request: post("/other", addBody), Want: notFound(),
		},
		{
			Name: "escaped id", Rule: "An id is percent-decoded, as clients encode it.",
			Request: post(base+"/task/app%2Ftasks%2Fodd%20id%25", `{}`), Want: odd,
		},
		{
			Name: "id with raw slashes", Rule: "The segments behind the word make up the id.",
			Request: post(base+"/task/app/tasks/odd%20id%25", `{}`), Want: odd,
		},
		{
			Name: "id with doubled raw slashes", Rule: "Empty segments in an id are dropped.",
			Request: post(base+"/task/app//tasks///odd%20id%25", `{}`), Want: odd,
		},
		{
			Name: "id with escapes in lower case", Rule: "The digits of an escape may be lower case.",
			Request: post(base+"/task/app%2ftasks%2fodd%20id%25", `{}`), Want: odd,
		},
		{
			Name: "id with doubled escaped slashes", Rule: "Escaped slashes in an id are all kept.",
			Request: post(base+"/task/app%2F%2Ftasks%2Fodd%20id%25", `{}`), Want: forbidden("Task app//tasks/odd id% not exposed"),
		},
		{
			Name: "id escaped twice", Rule: "An id is decoded once.",
			Request: post(base+"/task/app%252Ftasks", `{}`), Want: forbidden("Task app%2Ftasks not exposed"),
		},
		{
			Name: "id with a plus", Rule: "A plus in an id is no space.",
			Request: post(base+"/task/odd+id%2B", `{}`), Want: forbidden("Task odd+id+ not exposed"),
		},
		{
			Name: "id of a space", Rule: "A space is a valid id.",
			Request: post(base+"/task/%20", `{}`), Want: forbidden("Task   not exposed"),
		},
		{
			Name: "id of a slash", Rule: "An escaped slash is a valid id.",
			Request: post(base+"/task/%2F", `{}`), Want: forbidden("Task / not exposed"),
		},
		{
			Name: "id of a NUL", Rule: "An id may hold control characters, which a message escapes.",
			Request: post(base+"/task/a%00%09", `{}`), Want: forbidden(`Task a\u0000\t not exposed`),
		},
		{
			Name: "id with markup", Rule: "An id stands in a message as it is, only JSON's own escapes are used.",
			Request: post(base+"/task/%3Ca%3E%26%22%5C", `{}`), Want: forbidden(`Task <a>&\"\\ not exposed`),
		},
		{
			Name: "id in UTF-8", Rule: "An id may be any UTF-8.",
			Request: post(base+"/task/%C3%A9%F0%9F%98%80", `{}`), Want: forbidden("Task é😀 not exposed"),
		},
		{
			Name: "id that is not UTF-8", Rule: "An id that does not decode to UTF-8 does not exist.",
			Request: post(base+"/task/app%ff", `{}`), Want: notFound(),
		},
		{
			Name: "id with surrogates", Rule: "An id that decodes to surrogates does not exist.",
			Request: post(base+"/event/%ED%A0%80", `{}`), Want: notFound(),
		},
		{
			Name: "long id", Rule: "An id may be as long as the header limit allows.",
			Request: post(base+"/task/"+strings.Repeat("x", 10_000), `{}`),
			Want:    forbidden("Task " + strings.Repeat("x", 10_000) + " not exposed"),
		},
		{
			Name: "id of a line break and a message", Rule: "An id with a line break is an id like any other.",
			Setup:   Setup{AllowList: protocol.NewAllowList([]string{"a\n{\"type\":\"task\"}"}, nil)},
			Request: post(base+"/task/a%0A%7B%22type%22:%22task%22%7D", `{}`),
			Want:    failure(http.StatusNotFound, "NOT_FOUND", `Task a\n{\"type\":\"task\"} not found`),
		},
	}
}
