package protocoltest

import (
	"net/http"

	"github.com/bluelibs/go-tunnel/protocol"
)

func allowListCases() []Case {
	notEnabled := forbidden("Exposure not enabled")
	absent := protocol.NewAllowList([]string{"app.tasks.absent"}, []string{"app.events.absent"})
	anonymous := Setup{Tokens: []string{}, AllowAnonymous: true}
	return []Case{
		{
			Name: "task not listed", Rule: "A task that is served but not on the list is refused.",
			Request: task("hidden", `{}`), Want: forbidden("Task app.tasks.hidden not exposed"),
		},
		{
			Name: "unknown task", Rule: "An unknown task is refused as one that is not on the list.",
			Request: task("unknown", `{}`), Want: forbidden("Task app.tasks.unknown not exposed"),
		},
		{
			Name: "unknown event", Rule: "An unknown event is refused as one that is not on the list.",
			Request: event("unknown", `{}`), Want: forbidden("Event app.events.unknown not exposed"),
		},
		{
			Name: "anonymous caller", Rule: "Anonymous access does not widen the list.",
			Setup: anonymous, Request: task("hidden", `{}`), Want: forbidden("Task app.tasks.hidden not exposed"),
		},
		{
			Name: "listed task that is not served", Rule: "A listed task that nobody serves is not found.",
			Setup: Setup{AllowList: absent}, Request: task("absent", `{}`),
			Want: failure(http.StatusNotFound, "NOT_FOUND", "Task app.tasks.absent not found"),
		},
		{
			Name: "listed event that is not served", Rule: "A listed event that nobody serves is not found.",
			Setup: Setup{AllowList: absent}, Request: event("absent", `{}`),
			Want: failure(http.StatusNotFound, "NOT_FOUND", "Event app.events.absent not found"),
		},
		{
			Name: "listed task before its body", Rule: "The body of a listed task is checked before the task is looked for.",
			Setup: Setup{AllowList: absent}, Request: task("absent", `{`), Want: badJSON(),
		},
		{
			Name: "no list and a task", Rule: "Without a list every task is refused.",
			Setup: Setup{Closed: true}, Request: add(), Want: notEnabled,
		},
		{
			Name: "no list and an event", Rule: "Without a list every event is refused.",
			Setup: Setup{Closed: true}, Request: event("notify", `{}`), Want: notEnabled,
		},
		{
			Name: "empty list", Rule: "An empty list is enabled, and has nothing on it.",
			Setup: Setup{AllowList: protocol.NewAllowList(nil, nil)}, Request: add(), Want: forbidden("Task app.tasks.add not exposed"),
		},
		{
			Name: "another list", Rule: "The configured list alone counts.",
			Setup:   Setup{AllowList: protocol.NewAllowList([]string{"app.tasks.hidden"}, nil)},
			Request: task("hidden", `{}`), Want: result(`"hidden"`),
		},
	}
}
