package tunnel_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
)

// hungThere is what differs where Runner never answers, and ours is an envelope.
func hungThere(status, ours string) []string {
	return append(withoutLines(bareThere(status, ours), bodyDiffers("", ours)), bodyDiffers(" (and no more)", ours))
}

// statusDiffers is another status with another envelope.
func statusDiffers(status, theirs, ours string) []string {
	return []string{status, bodyDiffers(theirs, ours)}
}

const (
	ignoredAnswer   = `{"ok":true,"result":"ignored"}`
	fileAnswer      = `{"ok":true,"result":{"text":"content of a","isFile":true,"meta":["Object",["name","\"a.txt\""],["type","\"text/csv\""],["size","undefined"],["lastModified","undefined"],["extra","undefined"]]}}`
	millionSum      = `{"length":1000000,"sha256":"1b977e9f84f1b26b6ed7f68b0498faee2385ea4125bd29adce4a7d9106ba3134"}`
	undefinedAnswer = `{"ok":true,"result":{"__type":"Undefined","value":null}}`
	codedAnswer     = `{"ok":false,"error":{"message":"Coded","code":"INTERNAL_ERROR","id":"full.errors.coded","data":{},"httpCode":422}}`
)

var (
	streamAnswer    = errorAnswer("STREAM_ERROR", "Internal Error")
	multipartAnswer = errorAnswer("INVALID_MULTIPART", "Invalid multipart payload")
	noManifest      = errorAnswer("MISSING_MANIFEST", "Missing manifest")
	otherEncoding   = errorAnswer("UNSUPPORTED_MEDIA_TYPE", "Unsupported content encoding")
	abortedAnswer   = errorAnswer("REQUEST_ABORTED", "Client Closed Request")
)

// partMeta is what the task file says of the metadata cases' file.
func partMeta(name, fileType string) string {
	return `{"ok":true,"result":{"text":"content","isFile":true,"meta":["Object",["name",` + jsonOf(name) + `],["type",` + jsonOf(fileType) +
		`],["size","undefined"],["lastModified","undefined"],["extra","undefined"]]}}`
}

// besideFile is a value beside a file, as filesInside describes it.
func besideFile(value string) string {
	return `["Object",["f","\"file: content\""],["x",` + value + `]]`
}

const keptReason = "typed values of a manifest are kept, as in JSON mode, where Runner makes plain objects of them"

var formDifferences = []difference{
	{
		reason: "a file that nobody reads, or not yet, does not hold up the form",
		what:   hungThere("status: 0, ours: 200", ignoredAnswer),
		cases:  []string{"reading/ignored, 1 MB", "reading/undeclared, 1 MB"},
	},
	{
		reason: "the same, of files that are read in another order",
		what:   hungThere("status: 0, ours: 200", `{"ok":true,"result":[`+millionSum+`,`+millionSum+`]}`),
		cases:  []string{"reading/the other way round, 1 MB each"},
	},
	{
		reason: "the same, of a file before the manifest",
		what:   hungThere("status: 0, ours: 200", `{"ok":true,"result":[`+millionSum+`]}`),
		cases:  []string{"reading/1 MB before the manifest"},
	},
	{
		reason: "limits are inclusive",
		what:   statusDiffers("status: 413, ours: 200", errorAnswer("PAYLOAD_TOO_LARGE", "Field limit exceeded"), ignoredAnswer),
		cases:  []string{"limits of a form, as they are/manifest of 1 MiB"},
	},
	{
		reason: "limits are inclusive, of files too",
		what: statusDiffers("status: 413, ours: 200", errorAnswer("PAYLOAD_TOO_LARGE", "File size limit exceeded"),
			`{"ok":true,"result":[{"length":20971520,"sha256":"6adfa0775cbd16a3f50d1fda1d7bd7f375dd1f9af5e6dfb751a87d3dff68699c"}]}`),
		cases: []string{"limits of a form, as they are/file of 20 MiB"},
	},
	{
		reason: "who throws nothing has failed, as in JSON mode",
		what:   statusDiffers("status: 200, ours: 500", undefinedAnswer, internalAnswer),
		cases:  []string{"task of a form/throws null", "task of a form/throws undefined"},
	},
	{
		reason: "what is wrong with a form counts more than what the task makes of it, also if that is a response of its own",
		what: []string{
			"status: 201, ours: 500", "content-length: none, ours: of the body", "content-type: none, ours: application/json; charset=utf-8",
			"x-content-type-options: none, ours: nosniff", "x-frame-options: none, ours: DENY", "access-control-allow-origin: none, ours: *",
			"x-a: b, ours: none", bodyDiffers("text", errorAnswer("MISSING_FILE_PART", "Internal Error")),
		},
		cases: []string{"task of a form/its response, and a file is missing"},
	},
	{
		reason: "gzip bodies are decoded",
		what:   statusDiffers("status: 400, ours: 200", multipartAnswer, fileAnswer),
		cases:  []string{"form/gzip"},
	},
	{
		reason: "a body in any other encoding is refused",
		what:   statusDiffers("status: 200, ours: 415", fileAnswer, otherEncoding),
		cases:  []string{"form/brotli"},
	},
	{
		reason: "blanks may follow a delimiter (RFC 2046, section 5.1.1)",
		what:   statusDiffers("status: 400, ours: 200", noManifest, fileAnswer),
		cases:  []string{"form/blanks behind the boundary"},
	},
	{
		reason: "package mime refuses a parameter given twice",
		what:   statusDiffers("status: 200, ours: 400", fileAnswer, multipartAnswer),
		cases:  []string{"form/multipart/form-data; boundary=b0; boundary=b1"},
	},
	{
		reason: "half a line end behind the last delimiter is none",
		what:   statusDiffers("status: 200, ours: 400", fileAnswer, multipartAnswer),
		cases:  []string{"form/file, cut behind 229"},
	},
	{
		reason: "half a line end behind the last delimiter is none, whatever the task",
		what:   statusDiffers("status: 200, ours: 400", ignoredAnswer, multipartAnswer),
		cases:  []string{"form/filesIgnored, cut behind 229"},
	},
	{
		reason: "a form that is cut just behind a file's header, or inside its last delimiter, is taken for one that is cut in the file",
		what:   statusDiffers("status: 400, ours: 500", multipartAnswer, streamAnswer),
		cases: []string{
			"form/file, cut behind 182", "form/filesIgnored, cut behind 182", "form/file, cut behind 206", "form/filesIgnored, cut behind 206",
			"form/file, cut behind 227", "form/filesIgnored, cut behind 227",
		},
	},
	{
		reason: "Node.js answers by itself where a body ends early",
		what:   bareThere("status: 400, ours: 499", abortedAnswer),
		cases:  []string{"form/cut upload"},
	},
	{
		reason: "what was not read of a body is not taken for a request: the connection ends, as its answer says",
		what:   secondUnanswered(`{"ok":true,"result":3}`),
		cases:  []string{"limits of a form/413, then a call", "raw body/unread, then a call"},
	},
	{
		reason: "two manifests are refused, whatever they are together",
		what:   statusDiffers("status: 200, ours: 400", `{"ok":true,"result":"number 1"}`, errorAnswer("INVALID_MULTIPART", "Invalid manifest")),
		cases:  []string{"manifest/twice, the second empty"},
	},
	{
		reason: "a part without a header is passed over, as one without a name",
		what:   statusDiffers("status: 400, ours: 200", multipartAnswer, `{"ok":true,"result":"number 1"}`),
		cases:  []string{"manifest/behind a part without a header"},
	},
	{
		reason: "an odd parameter does not spoil the type before it",
		what:   []string{bodyDiffers(partMeta(`"x.txt"`, `"text/plain"`), partMeta(`"x.txt"`, `"text/csv"`))},
		cases:  []string{"metadata/part: type with odd parameters"},
	},
	{
		reason: "a file name that names nothing is none",
		what:   []string{bodyDiffers(partMeta(`""`, `"text/plain"`), partMeta(`"upload"`, `"text/plain"`))},
		cases:  []string{"metadata/part: path that ends with a slash", "metadata/part: two dots"},
	},
	{
		reason: "file names are UTF-8, as clients send them",
		what:   []string{bodyDiffers(partMeta("\"\u00c4\u008d.txt\"", `"text/plain"`), partMeta(`"č.txt"`, `"text/plain"`))},
		cases:  []string{"metadata/part: UTF-8"},
	},
	{
		reason: "ids are UTF-8, as clients send them",
		what: statusDiffers("status: 500, ours: 200", errorAnswer("MISSING_FILE_PART", "Internal Error"),
			`{"ok":true,"result":"\"file: content\""}`),
		cases: []string{"sentinel/id beyond ASCII"},
	},
	resultDiffers("clients of Runner 4 name their files so", "sentinel/of 4.x", `["Object",["$ejson","\"File\""],["id","\"a\""]]`, `"\"file: content\""`),
	resultDiffers(keptReason, "sentinel/Map", `["Object"]`, `["Map",["\"f\"","\"file: content\""]]`),
	resultDiffers(keptReason, "sentinel/key of a Map", `["Object"]`, `["Map",["\"file: content\"","number 1"]]`),
	resultDiffers(keptReason, "sentinel/Set", `["Object"]`, `["Set","\"file: content\""]`),
	resultDiffers(keptReason, "sentinel/custom type", `["Object",["x","\"file: content\""],["y","number 2"]]`,
		`["Point",["x",["Object",["$runnerFile","\"File\""],["id","\"a\""]]],["y","number 2"]]`),
	resultDiffers(keptReason, "sentinel/fields of an Error", `["Object",["name","\"Error\""],["f","\"file: content\""]]`,
		`["Error",["stack","\"s\""],["message","\"m\""],["name","\"Error\""],["f",["Object",["$runnerFile","\"File\""],["id","\"a\""]]]]`),
	resultDiffers(keptReason, "sentinel/beside a Date", besideFile(`["Object"]`), besideFile(`"Date 1970-01-01T00:00:00.000Z"`)),
	resultDiffers(keptReason, "sentinel/beside a Map", besideFile(`["Object"]`), besideFile(`["Map",["number 1","number 2"]]`)),
	resultDiffers(keptReason, "sentinel/beside a Set", besideFile(`["Object"]`), besideFile(`["Set","number 1"]`)),
	resultDiffers(keptReason, "sentinel/beside a Buffer", besideFile(`["Object",["0","number 1"],["1","number 2"]]`), besideFile(`"Buffer 1,2"`)),
	resultDiffers(keptReason, "sentinel/beside a RegExp", besideFile(`["Object"]`), besideFile(`"RegExp /a/g"`)),
	resultDiffers(keptReason, "sentinel/beside a URL", besideFile(`["Object"]`), besideFile(`"URL http://a.test/"`)),
	resultDiffers(keptReason, "sentinel/beside a custom type", besideFile(`["Object",["x","number 1"],["y","number 2"]]`),
		besideFile(`["Point",["x","number 1"],["y","number 2"]]`)),
}

// secondUnanswered is what differs where the connection ends behind our first answer.
func secondUnanswered(theirs string) []string {
	return []string{
		"answer 2: status: 200, ours: 0", "answer 2: content-length: of the body, ours: none",
		"answer 2: content-type: application/json; charset=utf-8, ours: none", "answer 2: x-content-type-options: nosniff, ours: none",
		"answer 2: x-frame-options: DENY, ours: none", "answer 2: x-runner-request-id: <new UUID v4>, ours: none",
		"answer 2: access-control-allow-origin: *, ours: none", "answer 2: " + bodyDiffers(theirs, ""),
	}
}

var octetDifferences = []difference{
	{
		reason: "what was not read of a body is not taken for a request: the connection ends, as its answer says",
		what:   secondUnanswered(`{"ok":true,"result":{"size":3,"sha256":"3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"}}`),
		cases:  []string{"kit: bodies/unread, then a call"},
	},
	{
		reason: "Node.js answers by itself where a body is badly chunked; here the task, which runs by then, fails to read it",
		what:   bareThere("status: 400, ours: 500", streamAnswer),
		cases:  []string{"raw body/bad chunk"},
	},
	{
		reason: "Node.js answers by itself where a body ends early",
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
	{
		reason: "a task that fails before the first byte is answered",
		what:   hungThere("status: 0, ours: 422", codedAnswer),
		cases:  []string{"response/a head, then throws", "stream/fails at once, typed"},
	},
	ownDiffers("a response that nobody will end is broken off", []string{typeThere, bodyDiffers("some (and no more)", "some (cut short)")},
		"response/writes, then throws", "response/a head after the head"),
}

var streamDifferences = []difference{
	{
		reason: "a stream that fails before the first byte is an error",
		what:   hungThere("status: 0, ours: 500", internalAnswer),
		cases:  []string{"kit: streams/fails at once", "stream/fails at once", "stream/fails at once, bare"},
	},
	{
		reason: "a stream that fails later is broken off",
		what:   []string{bodyDiffers("some (and no more)", "some (cut short)")},
		cases:  []string{"stream/fails half-way", "stream/fails half-way, typed"},
	},
	{
		reason: "a stream that fails later is broken off",
		what:   []string{bodyDiffers("xxxxx (and no more)", "xxxxx (cut short)")},
		cases:  []string{"kit: streams/fails half-way"},
	},
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
		reason: "headers go out as UTF-8",
		what:   []string{"x-a: \xe9, ours: é"},
		cases:  []string{"stream/header of Latin-1"},
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
