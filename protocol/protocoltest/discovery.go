package protocoltest

import (
	"net/http"

	"github.com/bluelibs/go-tunnel/protocol"
)

func discoveryCases() []Case {
	const path = base + "/discovery"
	const both = "GET, POST, OPTIONS"
	two := Setup{AllowList: protocol.NewAllowList([]string{"z.task", "a.task", "z.task", "<b>"}, []string{"e"})}
	listed := result(`{"allowList":{"enabled":true,"tasks":["z.task","a.task","<b>"],"events":["e"]}}`)
	disabled := Setup{DisableDiscovery: true}
	return []Case{
		{
			Name: "get", Rule: "Discovery lists the tasks and events of the allow-list in its order, each once.",
			Setup: two, Request: get(path), Want: listed,
		},
		{
			Name: "post", Rule: "Discovery takes POST as well.",
			Setup: two, Request: post(path, ""), Want: listed,
		},
		{
			Name: "post with a body", Rule: "Discovery does not read a body.",
			Setup: two, Request: post(path, `{"input":`), Want: listed,
		},
		{
			Name: "trailing slash", Rule: "A slash behind discovery makes no difference.",
			Setup: two, Request: get(path + "/"), Want: listed,
		},
		{
			Name: "slashes before", Rule: "Empty segments before discovery are dropped.",
			Setup: two, Request: get(base + "//discovery"), Want: listed,
		},
		{
			Name: "more segments", Rule: "Segments behind discovery are ignored, and never decoded.",
			Setup: two, Request: get(path + "/anything/%ff"), Want: listed,
		},
		{
			Name: "query", Rule: "A query behind discovery is ignored.",
			Setup: two, Request: get(path + "?x"), Want: listed,
		},
		{
			Name: "longer word", Rule: "A word that only begins with discovery is no endpoint.",
			Request: get(path + "x"), Want: notFound(),
		},
		{
			Name: "no token", Rule: "Discovery needs the token.",
			Request: get(path).noToken(), Want: unauthorized(),
		},
		{
			Name: "nothing configured", Rule: "Discovery is refused as not configured where nothing is.",
			Setup: Setup{Tokens: []string{}}, Request: get(path),
			Want: failure(http.StatusInternalServerError, "AUTH_NOT_CONFIGURED", "Authentication not configured."),
		},
		{
			Name: "no list", Rule: "Without a list discovery says that nothing is enabled.",
			Setup: Setup{Closed: true}, Request: get(path), Want: result(`{"allowList":{"enabled":false,"tasks":[],"events":[]}}`),
		},
		{
			Name: "empty list", Rule: "An empty list is enabled.",
			Setup: Setup{AllowList: protocol.NewAllowList(nil, nil)}, Request: get(path),
			Want: result(`{"allowList":{"enabled":true,"tasks":[],"events":[]}}`),
		},
		{
			Name: "put", Rule: "Discovery takes GET and POST alone, and Allow says so.",
			Request: send(http.MethodPut, path, ""), Want: wrongMethod(both),
		},
		{
			Name: "head without a token", Rule: "Discovery does not take HEAD, which is said before the caller is checked.",
			Request: send(http.MethodHead, path, "").noToken(), Want: wrongMethod(both),
		},
		{
			Name: "disabled", Rule: "Disabled discovery does not exist, and needs no token to say so.",
			Setup: disabled, Request: get(path).noToken(), Want: notFound(),
		},
		{
			Name: "disabled and post", Rule: "Disabled discovery does not exist for POST either.",
			Setup: disabled, Request: post(path, ""), Want: notFound(),
		},
		{
			Name: "disabled and put", Rule: "Disabled discovery does not exist for any method.",
			Setup: disabled, Request: send(http.MethodPut, path, ""), Want: notFound(),
		},
		{
			Name: "disabled and options", Rule: "A preflight is answered even where discovery is disabled.",
			Setup: disabled, Request: options(path), Want: preflight(),
		},
		{
			Name: "disabled and a task", Rule: "Tasks can be called where discovery is disabled.",
			Setup: disabled, Request: add(), Want: result(`8`),
		},
	}
}
