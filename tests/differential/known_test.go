package differential_test

import (
	"slices"

	"github.com/bluelibs/go-tunnel/tests/testapp"
)

// differences is the whole list: what is deliberate, what net/http does before a Handler
// is asked, what follows from passing JSON values on as they came, what a worker that is a
// Runner application is not told, and what files, raw bodies and streams differ in.
//
// Some requests are not compared: Runner 5.5.0 leaves them without an answer, or lets
// somebody in whom it should not. What ours answers to them is in the conformance kit.
var differences = slices.Concat(deliberateDifferences, transportDifferences, valueDifferences, runnerDifferences,
	formDifferences, octetDifferences, responseDifferences, streamDifferences)

var deliberateDifferences = []difference{
	{
		reason: "a preflight may carry the request id and the security headers, as every other answer does",
		what: []string{
			"x-content-type-options: none, ours: nosniff",
			"x-frame-options: none, ours: DENY",
			"x-runner-request-id: none, ours: <new UUID v4>",
		},
		cases: slices.Concat(
			inGroups(corsGroups, "preflight", "preflight of origin b", "preflight without an origin", "preflight of another method",
				"preflight with doubled headers", "preflight with odd headers", "preflight with empty headers"),
			[]string{
				"CORS, none/preflight with a body", "discovery disabled/OPTIONS", "not configured/preflight",
				"methods/OPTIONS /__runner", "methods/OPTIONS /__runner/foo", "methods/OPTIONS /__runner/discovery",
				"base path of two segments/OPTIONS /api/v1/task/x",
			}),
	},
	{
		reason: "the same, with the caller's request id",
		what: []string{
			"x-content-type-options: none, ours: nosniff",
			"x-frame-options: none, ours: DENY",
			"x-runner-request-id: none, ours: a",
		},
		cases: []string{"CORS, none/preflight with a request id"},
	},
	{
		reason: "405 says what is allowed (RFC 9110, section 15.5.6)",
		what:   []string{"allow: none, ours: POST, OPTIONS"},
		cases: []string{
			"methods/GET /__runner/task/app.tasks.add", "methods/GET /__runner/task/app.tasks.hidden",
			"methods/GET /__runner/event/app.events.notify", "methods/HEAD /__runner/task/app.tasks.add",
			"methods/HEAD /__runner/event/app.events.notify", "methods/PUT /__runner/task/app.tasks.add",
			"methods/PUT /__runner/event/app.events.notify", "methods/PATCH /__runner/task/app.tasks.add",
			"methods/DELETE /__runner/task/app.tasks.add", "methods/DELETE /__runner/event/app.events.unknown",
			"methods/TRACE /__runner/task/app.tasks.add", "methods/PROPFIND /__runner/task/app.tasks.add",
			"methods/405 without a token", "methods/405 before 403 and 401", "methods/method override",
			"kit: streams/HEAD", "stream/HEAD",
			"CORS, none/405", "request id/on 405", "not configured/405 first", "auth/connection goes on after 405",
		},
	},
	{
		reason: "the same, of discovery",
		what:   []string{"allow: none, ours: GET, POST, OPTIONS"},
		cases: []string{
			"methods/HEAD /__runner/discovery", "methods/PUT /__runner/discovery", "methods/DELETE /__runner/discovery",
			"methods/405 of discovery without a token",
		},
	},
	{
		reason: "discovery takes POST too, as the text of v1.0 and 4.x have it",
		what:   []string{"status: 405, ours: 200", bodyDiffers(errorAnswer("METHOD_NOT_ALLOWED", "Method Not Allowed"), discoveryAnswer)},
		cases:  []string{"methods/POST /__runner/discovery"},
	},
	{
		reason: "a path that cannot be one of ours is not found, not an internal error",
		what:   []string{"status: 500, ours: 404", bodyDiffers(internalAnswer, notFoundAnswer)},
		cases:  []string{"routing/POST //", "routing/POST ///", "methods/OPTIONS //"},
	},
	{
		reason: "a second Authorization header never lets anybody in: Node.js drops it, and every other header is joined",
		what:   []string{"status: 200, ours: 401", bodyDiffers(sumAnswer, unauthorizedAnswer)},
		cases:  []string{"own header Authorization/right, then wrong"},
	},
	{
		reason: "the base path / works",
		what:   []string{"status: 404, ours: 200", "x-runner-request-id: none, ours: <new UUID v4>", bodyDiffers(notFoundAnswer, sumAnswer)},
		cases:  []string{"base path of the root/POST /task/app.tasks.add"},
	},
	{
		reason: "the base path / works, and everything is below it",
		what:   []string{"x-runner-request-id: none, ours: <new UUID v4>"},
		cases:  []string{"base path of the root/POST /__runner/task/app.tasks.add"},
	},
	{
		reason: "the base path / works for discovery",
		what:   []string{"status: 404, ours: 200", "x-runner-request-id: none, ours: <new UUID v4>", bodyDiffers(notFoundAnswer, discoveryAnswer)},
		cases:  []string{"base path of the root/GET /discovery"},
	},
	{
		reason: "a token list without a token counts as not configured",
		what:   []string{"status: 401, ours: 500", bodyDiffers(unauthorizedAnswer, errorAnswer("AUTH_NOT_CONFIGURED", "Authentication not configured."))},
		cases:  []string{"empty token list/none", "empty token list/some"},
	},
	{
		reason: "Authorization may hold a bearer token",
		what:   []string{"status: 401, ours: 200", bodyDiffers(unauthorizedAnswer, sumAnswer)},
		cases:  []string{"own header Authorization/bearer"},
	},
	{
		reason: "a token is compared byte by byte, so it may come as the UTF-8 that Go configures it in",
		what:   []string{"status: 401, ours: 200", bodyDiffers(unauthorizedAnswer, sumAnswer)},
		cases:  []string{"token beyond ASCII/as UTF-8"},
	},
	{
		reason: "gzip bodies are decoded",
		what:   []string{"status: 400, ours: 200", bodyDiffers(invalidJSONAnswer, `{"ok":true,"result":1}`)},
		cases:  []string{"JSON/gzip body"},
	},
	{
		reason: "gzip bodies are decoded, so they have to be gzip",
		what:   []string{"status: 200, ours: 400", bodyDiffers(`{"ok":true,"result":1}`, invalidJSONAnswer)},
		cases:  []string{"JSON/plain body that claims gzip"},
	},
	{
		reason: "a body in any other encoding is refused",
		what: []string{
			"status: 200, ours: 415",
			bodyDiffers(`{"ok":true,"result":1}`, errorAnswer("UNSUPPORTED_MEDIA_TYPE", "Unsupported content encoding")),
		},
		cases: []string{"JSON/plain body that claims brotli"},
	},
	{
		reason: "413 comes at once where Content-Length says so, where Node.js waits for the body and answers its end itself",
		what:   bareThere("status: 400, ours: 413", errorAnswer("PAYLOAD_TOO_LARGE", "Payload too large")),
		cases:  []string{"small limit/over the limit by its length alone"},
	},
	{
		reason: "a typed error's status must not take the envelope away from its reader",
		what: []string{
			"status: 204, ours: 500", "content-length: none, ours: of the body",
			bodyDiffers("", `{"ok":false,"error":{"message":"Coded 204","code":"INTERNAL_ERROR","id":"app.errors.coded","data":{"httpCode":204},"httpCode":204}}`),
		},
		cases: []string{"errors/httpCode 204"},
	},
	{
		reason: "the same, of 304",
		what: []string{
			"status: 304, ours: 500", "content-length: 131, ours: of the body",
			bodyDiffers("", `{"ok":false,"error":{"message":"Coded 304","code":"INTERNAL_ERROR","id":"app.errors.coded","data":{"httpCode":304},"httpCode":304}}`),
		},
		cases: []string{"errors/httpCode 304"},
	},
}

const (
	sumAnswer          = `{"ok":true,"result":3}` // of sumBody
	internalAnswer     = `{"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}`
	notFoundAnswer     = `{"ok":false,"error":{"message":"Not Found","code":"NOT_FOUND"}}`
	unauthorizedAnswer = `{"ok":false,"error":{"message":"Unauthorized","code":"UNAUTHORIZED"}}`
	invalidJSONAnswer  = `{"ok":false,"error":{"message":"Invalid JSON body","code":"INVALID_JSON"}}`
)

var discoveryAnswer = `{"ok":true,"result":` + string(testapp.AllowList.Discovery()) + `}`

func errorAnswer(code, message string) string {
	return `{"ok":false,"error":{"message":"` + message + `","code":"` + code + `"}}`
}

func bodyDiffers(theirs, ours string) string { return "body: " + theirs + ", ours: " + ours }

// inGroups returns the names of the same cases in several groups.
func inGroups(groups []serverPair, cases ...string) (names []string) {
	for _, g := range groups {
		for _, c := range cases {
			names = append(names, g.name+"/"+c)
		}
	}
	return names
}

// bareThere is what differs where Node.js answers without asking the application, by a
// bare status, and ours is an envelope below the base path.
func bareThere(status, ours string, more ...string) []string {
	return append([]string{
		status, "content-length: none, ours: of the body", "content-type: none, ours: application/json; charset=utf-8",
		"x-content-type-options: none, ours: nosniff", "x-frame-options: none, ours: DENY",
		"x-runner-request-id: none, ours: <new UUID v4>", "access-control-allow-origin: none, ours: *", bodyDiffers("", ours),
	}, more...)
}

// bareHere is what differs where net/http answers by a text, and Runner by an envelope
// below the base path.
func bareHere(status, theirs string) []string {
	return []string{
		status, "content-length: of the body, ours: none",
		"content-type: application/json; charset=utf-8, ours: text/plain; charset=utf-8",
		"x-content-type-options: nosniff, ours: none", "x-frame-options: DENY, ours: none",
		"x-runner-request-id: <new UUID v4>, ours: none", "access-control-allow-origin: *, ours: none",
		bodyDiffers(theirs, "400 Bad Request"),
	}
}

// withoutLines returns what less these lines.
func withoutLines(what []string, lines ...string) []string {
	return slices.DeleteFunc(what, func(line string) bool { return slices.Contains(lines, line) })
}
