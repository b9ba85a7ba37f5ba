package protocoltest

import "net/http"

// orderCases are about methods, and about the precedence of errors.
func orderCases() []Case {
	const postOnly = "POST, OPTIONS"
	unlisted := base + "/task/app.tasks.hidden"
	method := func(name, rule, method, path string) Case {
		return Case{Name: name, Rule: rule, Request: send(method, path, ""), Want: wrongMethod(postOnly)}
	}
	return []Case{
		method("get on a task", "A task takes POST alone, and Allow says so.", http.MethodGet, addPath),
		method("head on a task", "A task does not take HEAD.", http.MethodHead, addPath),
		method("put on a task", "A task does not take PUT.", http.MethodPut, addPath),
		method("patch on a task", "A task does not take PATCH.", http.MethodPatch, addPath),
		method("delete on an event", "An event takes POST alone, and Allow says so.", http.MethodDelete, eventPath+"notify"),
		method("unknown method", "A task does not take methods that nobody knows.", "BREW", addPath),
		method("method before the allow-list", "The method is checked before the allow-list.", http.MethodGet, unlisted),
		{
			Name: "method before authentication", Rule: "The method is checked before the caller is.",
			Request: get(unlisted).noToken(), Want: wrongMethod(postOnly),
		},
		{
			Name: "method override", Rule: "X-HTTP-Method-Override is ignored.",
			Request: add().with("x-http-method-override", "GET"), Want: result(`8`),
		},
		{
			Name: "wrong method on an unknown path", Rule: "A path that does not exist does not exist for any method.",
			Request: send(http.MethodPut, base+"/foo", ""), Want: notFound(),
		},
		{
			Name: "head on the base", Rule: "The base path does not exist for HEAD either.",
			Request: send(http.MethodHead, base, ""), Want: notFound(),
		},
		{
			Name: "wrong method without an id", Rule: "A task path without an id does not exist for any method.",
			Request: get(base + "/task/"), Want: notFound(),
		},
		{
			Name: "wrong method on an id that is not UTF-8", Rule: "An id that cannot be decoded does not exist for any method.",
			Request: get(base + "/task/%ff"), Want: notFound(),
		},
		{
			Name: "unknown path before authentication", Rule: "A path that does not exist needs no token to be told so.",
			Request: post(base+"/foo", addBody).noToken(), Want: notFound(),
		},
		{
			Name: "bad id before authentication", Rule: "An id that cannot be decoded needs no token to be told so.",
			Request: post(base+"/task/%ff", addBody).noToken(), Want: notFound(),
		},
		{
			Name: "authentication before the allow-list", Rule: "Who is not authenticated does not learn what is on the allow-list.",
			Request: post(unlisted, addBody).noToken(), Want: unauthorized(),
		},
		{
			Name: "authentication before the body", Rule: "The caller is checked before the body is read.",
			Request: task("add", `{"input":`).noToken(), Want: unauthorized(),
		},
		{
			Name: "allow-list before the body", Rule: "The allow-list is checked before the body is read.",
			Request: task("hidden", `{"input":`), Want: forbidden("Task app.tasks.hidden not exposed"),
		},
		{
			Name: "allow-list before the content encoding", Rule: "The allow-list is checked before the form of the body.",
			Request: task("hidden", addBody).with("content-encoding", "br"), Want: forbidden("Task app.tasks.hidden not exposed"),
		},
	}
}
