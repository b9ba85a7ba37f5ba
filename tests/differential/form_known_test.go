package differential_test

// statusDiffers is another status with another envelope.
func statusDiffers(status, theirs, ours string) []string {
	return []string{status, bodyDiffers(theirs, ours)}
}

const (
	ignoredAnswer   = `{"ok":true,"result":"ignored"}`
	fileAnswer      = `{"ok":true,"result":{"text":"content of a","isFile":true,"meta":["Object",["name","\"a.txt\""],["type","\"text/csv\""],["size","undefined"],["lastModified","undefined"],["extra","undefined"]]}}`
	undefinedAnswer = `{"ok":true,"result":{"__type":"Undefined","value":null}}`
	plainSentinel   = `["Object",["$runnerFile","\"File\""],["id","\"a\""]]`
)

var (
	streamAnswer    = errorAnswer("STREAM_ERROR", "Internal Error")
	multipartAnswer = errorAnswer("INVALID_MULTIPART", "Invalid multipart payload")
	noManifest      = errorAnswer("MISSING_MANIFEST", "Missing manifest")
	otherEncoding   = errorAnswer("UNSUPPORTED_MEDIA_TYPE", "Unsupported content encoding")
	abortedAnswer   = errorAnswer("REQUEST_ABORTED", "Client Closed Request")
)

const (
	// fileMethods are those of a sentinel without its form.
	fileMethods      = `["resolve","async () => refuse()"],["toTempFile","async () => refuse()"],["stream","() => refuse()"]`
	refusingSentinel = `["Object",["$runnerFile","\"File\""],["id","\"a\""],` + fileMethods + `]`
	namedSentinel    = `["$runnerFile","\"File\""],["id","\"F1\""],["meta",["Object",["name","\"a\""]]]`
)

// hookSentinel is what a hook's event returns of a sentinel with these members.
func hookSentinel(members string) string {
	return `{"ok":true,"result":{"value":{"$runnerFile":"File","id":"F1","meta":{"name":"a"}},"as":["Object",` + members + `]}}`
}

// partMeta is what the task file says of the metadata cases' file.
func partMeta(name, fileType string) string {
	return `{"ok":true,"result":{"text":"content","isFile":true,"meta":["Object",["name",` + jsonOf(name) + `],["type",` + jsonOf(fileType) +
		`],["size","undefined"],["lastModified","undefined"],["extra","undefined"]]}}`
}

// besideFile is a value beside a file, as filesInside describes it.
func besideFile(value string) string {
	return `["Object",["f","\"file: content\""],["x",` + value + `]]`
}

// readHere is a file whose header Runner does not read.
func readHere(name string, cases ...string) difference {
	for i := range cases {
		cases[i] = "metadata/part: " + cases[i]
	}
	return difference{
		reason: "a file is not lost for an odd letter or an unknown charset in its name",
		what:   statusDiffers("status: 500, ours: 200", errorAnswer("MISSING_FILE_PART", "Internal Error"), partMeta(name, `"text/plain"`)),
		cases:  cases,
	}
}

const keptReason = "typed values of a manifest are kept, as in JSON mode, where Runner makes plain objects of them"

var formDifferences = []difference{
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
	readHere(`"a (1).txt"`, "extended, plain bytes"),
	readHere(`"Á.txt"`, "extended of another charset"),
	readHere(`"a b.txt"`, "blanks without quotes"),
	readHere(`"x.txt"`, "extended of another charset and plain", "extended of no charset", "extended of an unknown charset",
		"extended without quotes", "semicolon at the end", "blanks around"),
	{
		reason: "who resolves a file of a call that is no form gets an error of the caller; to all others its placeholder is the same data",
		what:   statusDiffers("status: 500, ours: 415", internalAnswer, errorAnswer("UNSUPPORTED_MEDIA_TYPE", "The task takes a body of type multipart/form-data")),
		cases:  []string{"sentinel/in JSON, resolved", "sentinel/in JSON, streamed", "sentinel/in JSON, to a temporary file"},
	},
	resultDiffers("the same: the methods of a file are there, where only who asks for what cannot be listed sees them", "sentinel/in JSON",
		plainSentinel, refusingSentinel),
	resultDiffers("the same, wherever it stands", "sentinel/in JSON, and in a Map",
		`["Array",["0",`+plainSentinel+`],["1",["Map",["number 1",`+plainSentinel+`]]],["length","number 2"]]`,
		`["Array",["0",`+refusingSentinel+`],["1",["Map",["number 1",`+refusingSentinel+`]]],["length","number 2"]]`),
	differsIn("the same", "value as the task sees it/file",
		bodyDiffers(`{"ok":true,"result":["Object",`+namedSentinel+`]}`, `{"ok":true,"result":["Object",`+namedSentinel+`,`+fileMethods+`]}`)),
	differsIn("the same, of a bare value", "bare value/file",
		bodyDiffers(`{"ok":true,"result":["Object",`+namedSentinel+`]}`, `{"ok":true,"result":["Object",`+namedSentinel+`,`+fileMethods+`]}`)),
	differsIn("the same, of a hook", "value as a hook sees it/file", bodyDiffers(hookSentinel(namedSentinel), hookSentinel(namedSentinel+`,`+fileMethods))),
	{
		reason: "a file name may be continued (RFC 2231, section 3)",
		what:   []string{bodyDiffers(partMeta(`"upload"`, `"application/octet-stream"`), partMeta(`"x.txt"`, `"application/octet-stream"`))},
		cases:  []string{"metadata/part: continued name"},
	},
	{
		reason: "a manifest may have a file name, or be of octets: FormData gives one to every Blob, and so do many libraries to every typed part",
		what:   statusDiffers("status: 400, ours: 200", noManifest, `{"ok":true,"result":"number 1"}`),
		cases:  []string{"manifest/as a file", "manifest/as octets", "manifest/as a file of JSON"},
	},
	{
		reason: "the same, so that there are two manifests here",
		what:   statusDiffers("status: 200, ours: 400", `{"ok":true,"result":"number 2"}`, errorAnswer("INVALID_MULTIPART", "Invalid manifest")),
		cases:  []string{"manifest/as a file, then as a field"},
	},
	{
		reason: "a manifest that is UTF-8 is read as that, whatever it says to be",
		what:   []string{bodyDiffers(`{"ok":true,"result":"\"Ã©\""}`, `{"ok":true,"result":"\"é\""}`)},
		cases:  []string{"manifest/charset of Latin-1, and UTF-8"},
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
