package differential_test

import tunnel "github.com/bluelibs/go-tunnel"

// rawLines calls a task with nothing but these header lines.
func rawLines(lines ...string) string {
	return rawRequest("POST", "/__runner/task/app.tasks.add", sumBody, append(lines, lengthLine(sumBody))...)
}

var authGroups = []serverPair{
	{name: "auth", cases: []exchange{
		{name: "right", raw: rawLines("X-Runner-Token: secret")},
		{name: "none", raw: rawLines()},
		{name: "empty", raw: rawLines("X-Runner-Token:")},
		{name: "wrong", raw: rawLines("X-Runner-Token: wrong")},
		{name: "beginning", raw: rawLines("X-Runner-Token: secre")},
		{name: "wrong case", raw: rawLines("X-Runner-Token: SECRET")},
		{name: "name in lower case", raw: rawLines("x-runner-token: secret")},
		{name: "blanks around", raw: rawLines("X-Runner-Token:  \t secret \t ")},
		{name: "bearer in the own header", raw: rawLines("X-Runner-Token: Bearer secret")},
		{name: "bearer in Authorization", raw: rawLines("Authorization: Bearer secret")},
		{name: "twice", raw: rawLines("X-Runner-Token: secret", "X-Runner-Token: secret")},
		{name: "right, then wrong", raw: rawLines("X-Runner-Token: secret", "X-Runner-Token: wrong")},
		{name: "query", raw: rawRequest("POST", "/__runner/task/app.tasks.add?x-runner-token=secret", sumBody, lengthLine(sumBody))},
		{name: "event", raw: rawRequest("POST", "/__runner/event/app.events.notify", "{}", lengthLine("{}"))},
		{name: "discovery", raw: rawRequest("GET", "/__runner/discovery", "")},
		{name: "discovery, wrong", raw: rawRequest("GET", "/__runner/discovery", "", "X-Runner-Token: wrong")},
		{name: "before 403", raw: rawRequest("POST", "/__runner/task/app.tasks.hidden", sumBody, lengthLine(sumBody))},
		{name: "before 400", raw: rawRequest("POST", "/__runner/task/app.tasks.add", "{", lengthLine("{"))},
		{name: "403 before 400", raw: rawTask("app.tasks.hidden", "{")},
		{name: "connection goes on after 401", answers: 2, raw: rawLines() + rawAdd()},
		{name: "connection goes on after 403", answers: 2, raw: rawTask("app.tasks.hidden", sumBody) + rawAdd()},
		{name: "connection goes on after 404", answers: 2, raw: rawPost("/__runner/foo", sumBody) + rawAdd()},
		{name: "connection goes on after 405", answers: 2, raw: rawToken("PUT", "/__runner/task/app.tasks.add", sumBody, lengthLine(sumBody)) + rawAdd()},
	}},
	{
		name:   "token list",
		runner: map[string]any{"auth": map[string]any{"token": []string{"one", "two"}}},
		ours:   tunnel.Config{Tokens: []string{"one", "two"}},
		cases: []exchange{
			{name: "first", raw: rawLines("X-Runner-Token: one")},
			{name: "second", raw: rawLines("X-Runner-Token: two")},
			{name: "third", raw: rawLines("X-Runner-Token: three")},
			{name: "both in one", raw: rawLines("X-Runner-Token: one, two")},
			{name: "both", raw: rawLines("X-Runner-Token: one", "X-Runner-Token: two")},
			{name: "none", raw: rawLines()},
		},
	},
	{
		name:   "token beyond ASCII",
		runner: map[string]any{"auth": map[string]any{"token": "sécret"}},
		ours:   tunnel.Config{Tokens: []string{"sécret"}},
		cases: []exchange{
			{name: "as Latin-1", raw: rawLines("X-Runner-Token: s\xe9cret")}, // what fetch sends
			{name: "as UTF-8", raw: rawLines("X-Runner-Token: sécret")},
		},
	},
	{
		name:   "empty token list",
		runner: map[string]any{"auth": map[string]any{"token": []string{}}},
		ours:   tunnel.Config{Tokens: []string{}},
		cases: []exchange{
			{name: "none", raw: rawLines()},
			{name: "some", raw: rawLines("X-Runner-Token: secret")},
		},
	},
	{
		name:   "own header",
		runner: map[string]any{"auth": map[string]any{"token": "secret", "header": "X-Api-Key"}},
		ours:   tunnel.Config{Tokens: []string{"secret"}, TokenHeader: "X-Api-Key"},
		cases: []exchange{
			{name: "right", raw: rawLines("x-api-key: secret")},
			{name: "wrong", raw: rawLines("X-Api-Key: wrong")},
			{name: "bearer", raw: rawLines("X-Api-Key: Bearer secret")},
			{name: "default header", raw: rawLines("X-Runner-Token: secret")},
			{name: "both headers", raw: rawLines("X-Runner-Token: wrong", "X-Api-Key: secret")},
		},
	},
	{
		name:   "own header Authorization",
		runner: map[string]any{"auth": map[string]any{"token": "secret", "header": "authorization"}},
		ours:   tunnel.Config{Tokens: []string{"secret"}, TokenHeader: "authorization"},
		cases: []exchange{
			{name: "right", raw: rawLines("Authorization: secret")},
			{name: "bearer", raw: rawLines("Authorization: Bearer secret")},
			{name: "wrong bearer", raw: rawLines("Authorization: Bearer wrong")},
			{name: "basic", raw: rawLines("Authorization: Basic secret")},
			{name: "right, then wrong", raw: rawLines("Authorization: secret", "Authorization: wrong")},
			{name: "wrong, then right", raw: rawLines("Authorization: wrong", "Authorization: secret")},
		},
	},
	{
		name:   "anonymous",
		runner: map[string]any{"auth": map[string]any{"allowAnonymous": true}},
		ours:   tunnel.Config{AllowAnonymous: true},
		cases: []exchange{
			{name: "none", raw: rawLines()},
			{name: "some", raw: rawLines("X-Runner-Token: secret")},
			{name: "unlisted", raw: rawRequest("POST", "/__runner/task/app.tasks.hidden", sumBody, lengthLine(sumBody))},
			{name: "discovery", raw: rawRequest("GET", "/__runner/discovery", "")},
		},
	},
	{
		name:   "token and anonymous",
		runner: map[string]any{"auth": map[string]any{"token": "secret", "allowAnonymous": true}},
		ours:   tunnel.Config{Tokens: []string{"secret"}, AllowAnonymous: true},
		cases: []exchange{
			{name: "none", raw: rawLines()},
			{name: "right", raw: rawLines("X-Runner-Token: secret")},
		},
	},
	{
		name:   "not configured",
		runner: map[string]any{"auth": map[string]any{}},
		ours:   tunnel.Config{Tokens: []string{}},
		cases: []exchange{
			{name: "none", raw: rawLines()},
			{name: "some", raw: rawLines("X-Runner-Token: secret")},
			{name: "discovery", raw: rawRequest("GET", "/__runner/discovery", "")},
			{name: "405 first", raw: rawRequest("GET", "/__runner/task/app.tasks.add", "")},
			{name: "preflight", raw: rawRequest("OPTIONS", "/__runner/task/app.tasks.add", "")},
		},
	},
	{
		name:   "empty token",
		runner: map[string]any{"auth": map[string]any{"token": ""}},
		ours:   tunnel.Config{Tokens: []string{""}},
		cases: []exchange{
			{name: "none", raw: rawLines()},
			{name: "empty", raw: rawLines("X-Runner-Token:")},
		},
	},
	{
		name:   "no tunnel",
		app:    map[string]any{"noTunnel": true},
		ours:   tunnel.Config{Tokens: []string{"secret"}},
		closed: true,
		cases: []exchange{
			{name: "task", raw: rawAdd()},
			{name: "unknown task", raw: rawTask("app.tasks.unknown", sumBody)},
			{name: "event", raw: rawEvent("app.events.notify", "{}")},
			{name: "discovery", raw: rawGet("/__runner/discovery")},
			{name: "no token", raw: rawLines()},
		},
	},
	{
		name:   "discovery disabled",
		runner: map[string]any{"disableDiscovery": true},
		ours:   tunnel.Config{DisableDiscovery: true},
		cases: []exchange{
			{name: "GET", raw: rawGet("/__runner/discovery")},
			{name: "no token", raw: rawRequest("GET", "/__runner/discovery", "")},
			{name: "POST", raw: rawPost("/__runner/discovery", "")},
			{name: "DELETE", raw: rawToken("DELETE", "/__runner/discovery", "")},
			{name: "OPTIONS", raw: rawToken("OPTIONS", "/__runner/discovery", "")},
			{name: "task", raw: rawAdd()},
		},
	},
}
