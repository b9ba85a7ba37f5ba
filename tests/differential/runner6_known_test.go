package differential_test

import (
	"slices"
	"strings"
)

// difference6 says where an application of Runner 6 as our worker does not answer as its
// own exposure does, and why. The test fails if one that is not here occurs, and if one
// that is here does not.
type difference6 struct {
	reason string
	what   []string
	cases  []string
}

func (d difference6) has(name string) bool { return slices.Contains(d.cases, name) }

// differences6 returns the list. Discovery is what discovery answers.
func differences6(discovery string) []difference6 {
	list := []difference6{
		{
			reason: "a preflight may carry the request id and the security headers, as every other answer does",
			what: []string{
				"x-content-type-options: none, ours: nosniff",
				"x-frame-options: none, ours: DENY",
				"x-runner-request-id: none, ours: <new UUID v4>",
			},
			cases: []string{"routing/preflight"},
		},
		{
			reason: "405 says what is allowed (RFC 9110, section 15.5.6)",
			what:   []string{"allow: none, ours: POST, OPTIONS"},
			cases:  []string{"routing/GET /__runner/task/app.tasks.add", "routing/GET /__runner/event/app.events.bare"},
		},
		{
			reason: "discovery takes POST too, as the text of v1.0 has it",
			what:   []string{"status: 405, ours: 200", bodyDiffers(errorAnswer("METHOD_NOT_ALLOWED", "Method Not Allowed"), discovery)},
			cases:  []string{"routing/discovery by POST"},
		},
		{
			reason: "net/http refuses a path that is badly escaped before a Handler is asked",
			what:   bareHere("status: 404, ours: 400", notFoundAnswer),
			cases:  []string{"routing/POST /__runner/task/%E0%A4%A"},
		},
		{
			reason: "6.4.1 writes every input again for the hash of a lane, even where no lane wants one, and cannot write a date that is none",
			what:   statusDiffers("status: 500, ours: 200", internalAnswer, `{"ok":true,"result":"Date invalid"}`),
			cases:  []string{"values/Date of no date", "values/Date beyond all"},
		},
		{
			reason: "the methods of a file are there, where only who asks for what cannot be listed sees them: see 5.5.0",
			what: []string{bodyDiffers(`{"ok":true,"result":["Object",`+namedSentinel+`]}`,
				`{"ok":true,"result":["Object",`+namedSentinel+`,`+fileMethods+`]}`)},
			cases: []string{"values/file"},
		},
		{
			reason: "goccy/go-json escapes U+2028 in the message of an error: the same string, spelled in another way",
			what: []string{bodyDiffers(
				"{\"ok\":false,\"error\":{\"message\":\"Plain \u2028\",\"code\":\"INTERNAL_ERROR\",\"id\":\"app.errors.plain\",\"data\":{\"text\":\"\u2028\"}}}",
				"{\"ok\":false,\"error\":{\"message\":\"Plain \\u2028\",\"code\":\"INTERNAL_ERROR\",\"id\":\"app.errors.plain\",\"data\":{\"text\":\"\u2028\"}}}",
			)},
			cases: []string{"thrown/plain, line separator", "relayed/plain, line separator"},
		},
		{
			reason: "a kid is looked for among the keys alone, and not in what every object has, so that the token is checked with the first key",
			what:   statusDiffers("status: 401, ours: 200", unauthorizedAnswer, `{"ok":true,"result":"served"}`),
			cases:  []string{"lanes/kidsTask: name of a prototype"},
		},
	}
	for short, full := range map[string]string{
		"task/hidden": "app.tasks.hidden", "task/bare": "app.events.bare", "task/theirTask": "app.tasks.theirTask", "task/user": "app.asyncContexts.user",
		"event/add": "app.tasks.add", "event/theirEvent": "app.events.theirEvent",
	} {
		kind := "Task"
		if short[0] == 'e' {
			kind = "Event"
		}
		_, id, _ := strings.Cut(short, "/")
		list = append(list, difference6{
			reason: "what is not served has no short ids here: the full ones are nobody's business",
			what: []string{bodyDiffers(errorAnswer("FORBIDDEN", kind+" "+full+" not exposed"),
				errorAnswer("FORBIDDEN", kind+" "+id+" not exposed"))},
			cases: []string{"aliases/POST /__runner/" + short},
		})
	}
	return list
}
