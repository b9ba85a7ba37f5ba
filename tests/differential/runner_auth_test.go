package differential_test

import (
	tunnel "github.com/bluelibs/go-tunnel"

	"github.com/bluelibs/go-tunnel/tests/testapp"
)

const told = `["POST","/__runner/task/app.tasks.add","/__runner/task/app.tasks.add",["headers","method","path","url"]]`

func tellsPath(target, path string) exchange {
	body := sumBody
	return exchange{name: "told of " + target, raw: rawRequest("POST", target, body, lengthLine(body),
		`X-Told: ["POST",`+jsonOf(target)+`,`+jsonOf(path)+`,["headers","method","path","url"]]`)}
}

var validatorCases = []exchange{
	{name: "right token", raw: rawLines("X-Runner-Token: secret")},
	{name: "wrong token", raw: rawLines("X-Runner-Token: wrong")},
	{name: "nothing", raw: rawLines()},
	{name: "empty token", raw: rawLines("X-Runner-Token:")},
	{name: "right user", raw: rawLines("X-User: ann")},
	{name: "right user, wrong token", raw: rawLines("X-User: ann", "X-Runner-Token: wrong")},
	{name: "wrong user", raw: rawLines("X-User: bob")},
	{name: "wrong user, right token", raw: rawLines("X-User: bob", "X-Runner-Token: secret")},
	{name: "user twice", raw: rawLines("X-User: ann", "X-User: ann")},
	{name: "blanks around the user", raw: rawLines("X-User: \t ann ")},
	{name: "validator is told", raw: rawLines("X-Told: " + told)},
	tellsPath("/__runner/task/app.tasks.add?a=1#b", "/__runner/task/app.tasks.add"),
	tellsPath("/x/..//__runner/task/./app.tasks.%61dd", "//__runner/task/app.tasks.%61dd"),
	tellsPath("/__runner/task/../task//app.tasks.add/", "/__runner/task//app.tasks.add/"),
	tellsPath("http://anything/__runner/task/app.tasks.add", "/__runner/task/app.tasks.add"),
	{name: "validator is told of discovery", raw: rawRequest("GET", "/__runner/discovery", "",
		`X-Told: ["GET","/__runner/discovery","/__runner/discovery",["headers","method","path","url"]]`)},
	{name: "cookies", raw: rawLines("Cookie: a=1", "Cookie: b=2")},
	{name: "ok that is only truthy", raw: rawLines("X-Truthy: 1")},
	{name: "ok that is empty", raw: rawLines("X-Truthy:")},
	{name: "request id", raw: rawLines("X-Runner-Request-Id: a", "X-Expect-Id: a")},
	{name: "request id that is refused", raw: rawLines("X-Runner-Request-Id: a b", "X-Expect-Id: a b")},
	{name: "request id that is new", raw: rawLines("X-Any-Id: 1")},
	{name: "event of a user", raw: rawRequest("POST", "/__runner/event/app.events.notify", "{}", lengthLine("{}"), "X-User: ann")},
	{name: "event of nobody", raw: rawRequest("POST", "/__runner/event/app.events.notify", "{}", lengthLine("{}"), "X-User: bob")},
	{name: "discovery of a user", raw: rawRequest("GET", "/__runner/discovery", "", "X-User: ann")},
	{name: "discovery of nobody", raw: rawRequest("GET", "/__runner/discovery", "")},
	{name: "401 before 403", raw: rawRequest("POST", "/__runner/task/app.tasks.hidden", sumBody, lengthLine(sumBody), "X-User: bob")},
	{name: "401 before 400", raw: rawRequest("POST", "/__runner/task/app.tasks.add", "{", lengthLine("{"), "X-User: bob")},
	{name: "403 of a user", raw: rawRequest("POST", "/__runner/task/app.tasks.hidden", sumBody, lengthLine(sumBody), "X-User: ann")},
	{name: "400 of a user", raw: rawRequest("POST", "/__runner/task/app.tasks.add", "{", lengthLine("{"), "X-User: ann")},
	{name: "404 of nobody", raw: rawRequest("POST", "/__runner/foo", "", lengthLine(""), "X-User: bob")},
	{name: "validator's own id", raw: rawRequest("POST", "/__runner/task/full.auth.ann", "{}", lengthLine("{}"), "X-User: ann")},
	{name: "connection goes on after 401", answers: 2, raw: rawLines("X-User: bob") + rawLines("X-User: ann")},
}

var withValidators = withFull(map[string]any{"withValidators": true}, nil)

var runnerAuthGroups = []serverPair{
	{
		name: "validators and a token", app: withValidators, runnerOnly: true, validators: true,
		ours: tunnel.Config{Tokens: []string{"secret"}}, cases: validatorCases,
	},
	{
		name: "validators", app: withValidators, runnerOnly: true, validators: true,
		runner: map[string]any{"auth": map[string]any{}}, ours: tunnel.Config{Tokens: []string{}}, cases: validatorCases,
	},
	{
		name: "validators and anonymous", app: withValidators, runnerOnly: true, validators: true,
		runner: map[string]any{"auth": map[string]any{"allowAnonymous": true}}, ours: tunnel.Config{AllowAnonymous: true}, cases: validatorCases,
	},
	{
		name: "no validators", app: testapp.FullApp, runnerOnly: true, validators: true,
		ours: tunnel.Config{Tokens: []string{"secret"}}, cases: validatorCases,
	},
	{
		name: "no validators, no token", app: testapp.FullApp, runnerOnly: true, validators: true,
		runner: map[string]any{"auth": map[string]any{}}, ours: tunnel.Config{Tokens: []string{}}, cases: validatorCases,
	},
	{
		name: "no validators, but anonymous", app: testapp.FullApp, runnerOnly: true, validators: true,
		runner: map[string]any{"auth": map[string]any{"allowAnonymous": true}}, ours: tunnel.Config{AllowAnonymous: true}, cases: validatorCases,
	},
}
