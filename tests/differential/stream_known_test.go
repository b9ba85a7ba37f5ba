package differential_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
)

var octetDifferences = []difference{
	{
		reason: "Node.js answers by itself where a body is badly chunked; here the task, which runs by then, fails to read it",
		what:   bareThere("status: 400, ours: 500", streamAnswer),
		cases:  []string{"raw body/bad chunk"},
	},
	{
		reason: "Node.js answers by itself where a body ends early; here it is a caller who leaves",
		what:   bareThere("status: 400, ours: 499", abortedAnswer),
		cases:  []string{"raw body/cut", "raw body/cut, chunked"},
	},
	{
		reason: "gzip bodies are decoded",
		what:   []string{bodyDiffers(bodySumAnswer(gzipOf("text")), bodySumAnswer("text"))},
		cases:  []string{"raw body/gzip"},
	},
	{
		reason: "gzip bodies are decoded, so they have to be gzip",
		what:   statusDiffers("status: 200, ours: 500", `{"ok":true,"result":{"input":"undefined","text":"text"}}`, streamAnswer),
		cases:  []string{"raw body/claims gzip"},
	},
	{
		reason: "a body in any other encoding is refused",
		what:   statusDiffers("status: 200, ours: 415", `{"ok":true,"result":{"input":"undefined","text":"text"}}`, otherEncoding),
		cases:  []string{"raw body/claims brotli"},
	},
}

// What every answer of ours has, also one that a task writes itself.
var serversHeaders = []string{
	"access-control-allow-origin: none, ours: *", "x-content-type-options: none, ours: nosniff", "x-frame-options: none, ours: DENY",
}

const (
	ownReason    = "a response that a task writes has the server's headers as well"
	typeThere    = "content-type: none, ours: application/octet-stream"
	noLengthHere = "content-length: of the body, ours: none"
)

// ownDiffers is a difference in the server's headers and more.
func ownDiffers(reason string, more []string, cases ...string) difference {
	return difference{reason: reason, executor: "runner", what: slices.Concat(serversHeaders, more), cases: cases}
}

var responseDifferences = []difference{
	ownDiffers(ownReason, nil, "response/head and body", "response/no content", "response/not modified", "raw body/response: head and body"),
	ownDiffers(ownReason+"; a body has a type", []string{typeThere},
		"response/end without a body", "response/reason", "response/head as an array", "response/header and head", "response/length",
		"response/length of a head", "response/flushed", "response/corked", "response/base64", "response/slowly", "response/large",
		"response/destroyed half-way", "response/trailers", "response/HTTP/1.0", "response/then a call", "task of a form/its response"),
	ownDiffers(ownReason+"; a body is sent as it comes", []string{noLengthHere}, "response/headers"),
	ownDiffers(ownReason+"; a body has a type and is sent as it comes", []string{typeThere, noLengthHere},
		"response/end", "response/status", "response/status of a string", "response/header of a list", "response/header of a number",
		"response/header set twice", "response/header appended", "response/header removed", "response/end twice", "response/header of null",
		"response/ends, then throws", "response/a header after the end", "response/a head after the end", "response/write after the end",
		"response/ends, and returns a stream", "raw body/response: status"),
	ownDiffers(ownReason+"; net/http sees that there is no body", []string{typeThere, "content-length: none, ours: of the body"},
		"response/head alone, then end", "response/redirect", "response/nothing written"),
	ownDiffers("the request id is the server's", []string{typeThere, noLengthHere, "x-runner-request-id: own, ours: <new UUID v4>"},
		"response/request id of its own"),
	ownDiffers("cookies are not for tasks to set", []string{typeThere, noLengthHere, "set-cookie: a=1 | b=2, ours: none"}, "response/cookies"),
	{
		reason: "cookies are not for tasks to set", what: []string{"set-cookie: a=b, ours: none"}, cases: []string{"response/a cookie alone"},
	},
	{
		reason: "the server's headers are not for tasks to change; Vary may be added to",
		what: []string{
			"access-control-allow-origin: x, ours: *", "x-frame-options: SAMEORIGIN, ours: DENY", "x-content-type-options: none, ours: nosniff",
			typeThere, noLengthHere,
		},
		cases: []string{"response/headers of the server"},
	},
	{
		reason: "the same, where origins are checked",
		what: []string{
			"access-control-allow-credentials: none, ours: true", "access-control-allow-origin: none, ours: https://a.test",
			"access-control-expose-headers: none, ours: x-a", "vary: none, ours: Origin", "x-content-type-options: none, ours: nosniff",
			"x-frame-options: none, ours: DENY", typeThere, noLengthHere,
		},
		cases: []string{"stream and CORS/its response"},
	},
	ownDiffers("hints that are not sent do no harm", []string{typeThere, noLengthHere, "interim: 103, ours: "}, "response/early hints"),
	ownDiffers("hints that are not sent do no harm", []string{typeThere, noLengthHere, "interim: 102, ours: "}, "response/processing"),
	ownDiffers("a body that a status forbids makes it 500: nothing is lost", []string{typeThere, "status: 204, ours: 500", bodyDiffers("", "text")},
		"response/no content, and some"),
	{
		reason: "an error has the server's headers only",
		what:   []string{"x-a: b, ours: none"},
		cases:  []string{"response/a header, then throws"},
	},
	{
		reason: "what breaks off before the first byte is answered",
		what:   bareThere("status: 0, ours: 500", internalAnswer),
		cases:  []string{"response/destroyed"},
	},
}

var streamDifferences = []difference{
	{
		reason: "a body that a status forbids makes it 500: nothing is lost",
		what:   statusDiffers("status: 204, ours: 500", "", "a"),
		cases:  []string{"stream/status 204"},
	},
	{
		reason: "the same, of 304",
		what:   statusDiffers("status: 304, ours: 500", "", "a"),
		cases:  []string{"stream/status 304"},
	},
	{
		reason: "the same, of 205",
		what:   []string{"status: 205, ours: 500"},
		cases:  []string{"stream/status 205"},
	},
	{
		reason: "a type of nothing is none",
		what:   []string{"content-type: , ours: application/octet-stream"},
		cases:  []string{"stream/type of nothing"},
	},
	{
		reason: "the request id is the server's",
		what:   []string{"x-runner-request-id: own, ours: <new UUID v4>"},
		cases:  []string{"stream/request id of its own"},
	},
	{
		reason: "Vary may be added to",
		what:   []string{"vary: accept, ours: Origin | accept"},
		cases:  []string{"stream and CORS/Vary of its own"},
	},
	{
		reason: "net/http sees that there is no body",
		what:   []string{"content-length: none, ours: of the body"},
		cases:  []string{"stream/HTTP/1.0, empty"},
	},
}

// bodySumAnswer is what full.tasks.bodySum says of a body.
func bodySumAnswer(body string) string {
	return fmt.Sprintf(`{"ok":true,"result":{"length":%d,"sha256":"%x"}}`, len(body), sha256.Sum256([]byte(body)))
}
