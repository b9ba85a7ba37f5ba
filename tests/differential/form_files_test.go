package differential_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

var formFileGroups = []serverPair{
	{name: "sentinel", app: testapp.FullApp, runnerOnly: true, cases: slices.Concat(
		sentinelCases(
			"root", sentinel("a"),
			"member", `{"x":1,"f":`+sentinel("a")+`,"y":[2]}`,
			"nested", `{"x":{"y":[{"z":`+sentinel("a")+`}]}}`,
			"array", `[1,`+sentinel("a")+`,"x"]`,
			"twice", `[`+sentinel("a")+`,`+sentinel("a")+`]`,
			"more members", `{"x":`+sentinel("b")+`,"$runnerFile":"File","id":"a","y":1}`,
			"other order", `{"id":"a","$runnerFile":"File"}`,
			"escaped names", `{"\u0024runnerFile":"\u0046ile","id":"\u0061"}`,
			"name twice", `{"$runnerFile":"Folder","$runnerFile":"File","id":"b","id":"a"}`,
			"Map", typed("Map", `[["f",`+sentinel("a")+`]]`),
			"key of a Map", typed("Map", `[[`+sentinel("a")+`,1]]`),
			"Set", typed("Set", `[`+sentinel("a")+`]`),
			"custom type", typed("Point", `{"x":`+sentinel("a")+`,"y":2}`),
			"fields of an Error", typed("Error", `{"name":"Error","message":"m","stack":"s","customFields":{"f":`+sentinel("a")+`}}`),
			"value of a type", `{"__type":"Undefined","value":`+sentinel("a")+`}`,
			"number as id", `{"$runnerFile":"File","id":1}`,
			"no id", `{"$runnerFile":"File"}`,
			"id of null", `{"$runnerFile":"File","id":null}`,
			"other kind", `{"$runnerFile":"Folder","id":"a"}`,
			"other case", `{"$runnerFile":"file","id":"a"}`,
			"true", `{"$runnerFile":true,"id":"a"}`,
			"name of a prototype", `{"__proto__":`+sentinel("a")+`,"x":1}`,
			"none", `{"x":1}`,
			"in a string", `{"x":"{\"$runnerFile\":\"File\",\"id\":\"a\"}"}`,
			"beside values", `{"f":`+sentinel("a")+`,"n":`+typed("BigInt", `"1"`)+`,"u":`+typed("Undefined", "null")+`,"v":[1.5,true,null,"é"]}`,
			"beside a Date", `{"f":`+sentinel("a")+`,"x":`+typed("Date", "0")+`}`,
			"beside a Map", `{"f":`+sentinel("a")+`,"x":`+typed("Map", `[[1,2]]`)+`}`,
			"beside a Set", `{"f":`+sentinel("a")+`,"x":`+typed("Set", `[1]`)+`}`,
			"beside a Buffer", `{"f":`+sentinel("a")+`,"x":`+typed("Buffer", `[1,2]`)+`}`,
			"beside a RegExp", `{"f":`+sentinel("a")+`,"x":`+typed("RegExp", `{"pattern":"a","flags":"g"}`)+`}`,
			"beside a URL", `{"f":`+sentinel("a")+`,"x":`+typed("URL", `"http://a.test/"`)+`}`,
			"beside a custom type", `{"f":`+sentinel("a")+`,"x":`+typed("Point", `{"x":1,"y":2}`)+`}`,
			"in depth", strings.Repeat("[", 900)+sentinel("a")+strings.Repeat("]", 900),
		),
		[]exchange{
			formCase("of 4.x", "filesInside", formInput(`{"$ejson":"File","id":"a"}`), formFile("a", "content")),
			formCase("in what is no input", "filesInside", formManifest(`{"a":`+sentinel("z")+`,"input":`+sentinel("a")+`}`), formFile("a", "content")),
			formCase("without input", "filesInside", formManifest(sentinel("a")), formFile("a", "content")),
			{name: "in JSON", raw: rawTask(fullTask+"filesInside", `{"input":`+sentinel("a")+`}`)},
			{name: "in JSON, and in a Map", raw: rawTask(fullTask+"describe", `{"input":[`+sentinel("a")+`,`+typed("Map", `[[1,`+sentinel("a")+`]]`)+`]}`)},
			{name: "in JSON, and back", raw: rawTask("app.tasks.echo", `{"input":{"a":`+sentinelMeta("a", `{"name":"x"}`)+`}}`)},
			{name: "in JSON, resolved", raw: rawTask(fullTask+"file", `{"input":{"file":`+sentinel("a")+`}}`)},
			{name: "in JSON, streamed", raw: rawTask(fullTask+"fileStream", `{"input":{"file":`+sentinel("a")+`}}`)},
			{name: "in JSON, to a temporary file", raw: rawTask(fullTask+"tempFile", `{"input":{"file":{"$runner\u0046ile":"\u0046ile","id":"a"}}}`)},
			{name: "in JSON, with a member of its own", raw: rawTask(fullTask+"file", `{"input":{"file":{"$runnerFile":"File","id":"a","resolve":1}}}`)},
			{name: "in JSON, of no id", raw: rawTask(fullTask+"file", `{"input":{"file":{"$runnerFile":"File"}}}`)},
		},
		idCases(),
	)},
	{name: "metadata", app: testapp.FullApp, runnerOnly: true, cases: slices.Concat(
		metaCases(
			"none", "{}",
			"null", "null",
			"string", `"x"`,
			"array", `["x"]`,
			"number", "1",
			"name", `{"name":"given"}`,
			"name of null", `{"name":null}`,
			"name of Undefined", `{"name":`+typed("Undefined", "null")+`}`,
			"name of nothing", `{"name":""}`,
			"name of a number", `{"name":1}`,
			"name with a path", `{"name":"../../etc/passwd"}`,
			"type", `{"type":"image/png"}`,
			"type of null", `{"type":null}`,
			"type of nothing", `{"type":""}`,
			"size", `{"size":3}`,
			"size that is odd", `{"size":"x"}`,
			"size that is negative", `{"size":-1}`,
			"lastModified", `{"lastModified":1700000000000}`,
			"lastModified of null", `{"lastModified":null}`,
			"extra", `{"extra":{"a":[1,{"b":2}]}}`,
			"extra of null", `{"extra":null}`,
			"extra with a name of a prototype", `{"extra":{"__proto__":1,"a":2}}`,
			"all", `{"name":"n","type":"a/b","size":1,"lastModified":2,"extra":{"c":3}}`,
			"unknown", `{"path":"/etc","stream":1,"resolve":2}`,
		),
		partCases(
			"nothing", `Content-Disposition: form-data; name="file:a"; filename="x.txt"`,
			"type with parameters", `Content-Disposition: form-data; name="file:a"; filename="x.txt"|Content-Type: Text/CSV; charset=utf-8`,
			"type that is none", `Content-Disposition: form-data; name="file:a"; filename="x.txt"|Content-Type: garbage`,
			"type with odd parameters", `Content-Disposition: form-data; name="file:a"; filename="x.txt"|Content-Type: text/csv; =; a`,
			"type that is empty", `Content-Disposition: form-data; name="file:a"; filename="x.txt"|Content-Type:`,
			"octets without a name", `Content-Disposition: form-data; name="file:a"|Content-Type: application/octet-stream`,
			"a field", `Content-Disposition: form-data; name="file:a"`,
			"empty name", `Content-Disposition: form-data; name="file:a"; filename=""`,
			"empty name, octets", `Content-Disposition: form-data; name="file:a"; filename=""|Content-Type: application/octet-stream`,
			"path", `Content-Disposition: form-data; name="file:a"; filename="/etc/x/y.txt"`,
			"Windows path", `Content-Disposition: form-data; name="file:a"; filename="C:\\dir\\y.txt"`,
			"path that ends with a slash", `Content-Disposition: form-data; name="file:a"; filename="x/"`,
			"two dots", `Content-Disposition: form-data; name="file:a"; filename=".."`,
			"escaped quote", `Content-Disposition: form-data; name="file:a"; filename="a\"b.txt"`,
			"no quotes", `Content-Disposition: form-data; name="file:a"; filename=x.txt`,
			"semicolon", `Content-Disposition: form-data; name="file:a"; filename="a;b.txt"`,
			"percent", `Content-Disposition: form-data; name="file:a"; filename="a%20b%22.txt"`,
			"UTF-8", `Content-Disposition: form-data; name="file:a"; filename="č.txt"`,
			"extended", `Content-Disposition: form-data; name="file:a"; filename*=utf-8''%C4%8D.txt`,
			"extended and plain", `Content-Disposition: form-data; name="file:a"; filename="x.txt"; filename*=utf-8''%C4%8D.txt`,
			"Latin-1", "Content-Disposition: form-data; name=\"file:a\"; filename=\"na\xefve.txt\"",
			"UTF-8 and Latin-1", "Content-Disposition: form-data; name=\"file:a\"; filename=\"\xc3\xa9\xe9.txt\"",
			"extended, Latin-1", `Content-Disposition: form-data; name="file:a"; filename*=ISO-8859-1'en'na%EFve.txt`,
			"extended, windows-1252", `Content-Disposition: form-data; name="file:a"; filename*=windows-1252''%E9.txt`,
			"extended, invalid UTF-8", `Content-Disposition: form-data; name="file:a"; filename*=utf-8''%FF.txt`,
			"extended, plain bytes", `Content-Disposition: form-data; name="file:a"; filename*=utf-8''a (1).txt`,
			"extended of another charset", `Content-Disposition: form-data; name="file:a"; filename*=koi8-r''%C1.txt`,
			"extended of another charset and plain", `Content-Disposition: form-data; name="file:a"; filename="x.txt"; filename*=koi8-r''%C1.txt`,
			"extended of no charset", `Content-Disposition: form-data; name="file:a"; filename*=''x.txt`,
			"extended of an unknown charset", `Content-Disposition: form-data; name="file:a"; filename*=none''x.txt`,
			"extended without quotes", `Content-Disposition: form-data; name="file:a"; filename*=x.txt`,
			"plain behind extended", `Content-Disposition: form-data; name="file:a"; filename*=utf-8''%C4%8D.txt; filename="x.txt"`,
			"two names", `Content-Disposition: form-data; name="file:a"; filename="x.txt"; filename="y.txt"`,
			"two extended names", `Content-Disposition: form-data; name="file:a"; filename*=utf-8''%C4%8D.txt; filename*=utf-8''y.txt`,
			"two names of the part", `Content-Disposition: form-data; name="file:a"; name="file:b"; filename="x.txt"`,
			"semicolon at the end", `Content-Disposition: form-data; name="file:a"; filename="x.txt";`,
			"blanks without quotes", `Content-Disposition: form-data; name="file:a"; filename=a b.txt`,
			"blanks around", `Content-Disposition: form-data ; name = "file:a" ; filename = "x.txt"`,
			"quote without an end", `Content-Disposition: form-data; name="file:a"; filename="x.txt`,
			"quote inside", `Content-Disposition: form-data; name="file:a"; filename="a"b.txt"`,
			"parameter without a value", `Content-Disposition: form-data; name="file:a"; filename="x.txt"; y`,
			"backslash", `Content-Disposition: form-data; name="file:a"; filename="a\b.txt"`,
			"continued name", `Content-Disposition: form-data; name="file:a"; filename*0="x"; filename*1=".txt"|Content-Type: application/octet-stream`,
			"name before the form", `Content-Disposition: form-data; filename="x.txt"; name="file:a"`,
			"other headers", `X-A: b|Content-Disposition: form-data; name="file:a"; filename="x.txt"|Content-Transfer-Encoding: binary`,
			"base64", `Content-Disposition: form-data; name="file:a"; filename="x.txt"|Content-Transfer-Encoding: base64`,
			"long name", `Content-Disposition: form-data; name="file:a"; filename="`+letters(5000)+`"`,
		),
	)},
	{name: "reading", app: testapp.FullApp, runnerOnly: true, cases: []exchange{
		formCase("in turn", "filesInTurn", filesInput("a", "b", "c"), formFile("a", "1"), formFile("b", "22"), formFile("c", "333")),
		formCase("in turn, another order", "filesInTurn", filesInput("c", "b", "a"), formFile("a", "1"), formFile("b", "22"), formFile("c", "333")),
		formCase("at once", "filesAtOnce", filesInput("a", "b", "c"), formFile("c", "1"), formFile("b", "22"), formFile("a", "333")),
		formCase("in turn, 1 MB each", "filesInTurn", filesInput("a", "b"), formFile("a", letters(1e6)), formFile("b", letters(1e6))),
		formCase("at once, 1 MB each", "filesAtOnce", filesInput("b", "a"), formFile("a", letters(1e6)), formFile("b", letters(1e6))),
		formCase("stream", "fileStream", fileAInput(), formFile("a", "content")),
		formCase("temporary file", "tempFile", fileAInput(), formFile("a", "content")),
		formCase("temporary file of an odd name", "tempFile", formInput(`{"file":`+sentinelMeta("a", `{"name":"../a b/č"}`)+`}`), formFile("a", "content")),
		formCase("temporary file, empty", "tempFile", fileAInput(), formFile("a", "")),
		formCase("temporary file, missing", "tempFile", fileAInput()),
		formCase("ignored", "filesIgnored", fileAInput(), formFile("a", "content")),
		formCase("undeclared", "filesIgnored", formInput("{}"), formFile("a", "content")),
		formCase("other names, 1 MB", "filesIgnored", formInput("{}"), formPart(letters(1e6), `Content-Disposition: form-data; name="a"; filename="a"`)),
		formCase("twice", "fileTwice", formInput(`{"a":`+sentinel("a")+`,"b":`+sentinel("a")+`}`), formFile("a", "content")),
		formCase("part twice, ignored", "filesIgnored", fileAInput(), formFile("a", "content"), formFile("a", "more")),
		formCase("missing", "file", fileAInput()),
		formCase("missing, ignored", "filesIgnored", fileAInput()),
		formCase("missing, another there", "file", fileAInput(), formFile("b", "content")),
		formCase("one of two missing", "filesInTurn", filesInput("a", "b"), formFile("a", "1")),
	}},
	{name: "task of a form", app: testapp.FullApp, runnerOnly: true, cases: slices.Concat(
		throwingForms("plain", "plain, typed data", "coded", "coded, another code", "helped", "no data", "unregistered", "Error", "string", "null",
			"undefined", "cancellation"),
		[]exchange{
			formCase("throws, and no file", "fileThrows", formInput(`{"fails":"coded"}`)),
			formCase("throws, and a file is missing", "fileThrows", formInput(`{"fails":"coded","x":`+sentinel("a")+`}`)),
			formCase("throws, and the form is bad", "fileThrows", formInput(`{"fails":"coded"}`), formInput("1")),
			formCase("undefined", "value", formInput(`"undefined"`)),
			formCase("Map", "value", formInput(`"map"`)),
			formCase("function", "value", formInput(`"function"`)),
			formCase("cycle", "value", formInput(`"cycle"`)),
			formCase("stream", "stream", formInput(`{"chunks":["a","b"],"status":201,"contentType":"text/plain"}`)),
			formCase("bare stream", "stream", formInput(`{"chunks":["a","b"],"bare":true}`)),
			formCase("stream, and a file is missing", "stream", formInput(`{"chunks":["a","b"],"x":`+sentinel("a")+`}`)),
			formCase("stream, and the form is bad", "stream", formInput(`{"chunks":["a","b"]}`), formInput("1")),
			formCase("its response", "response", formInput(`{"steps":[["writeHead",201,{"x-a":"b"}],["end","text"]]}`)),
			formCase("its response, and a file is missing", "response", formInput(`{"steps":[["writeHead",201,{"x-a":"b"}],["end","text"]],"x":`+sentinel("a")+`}`)),
			formCase("schema", "inputSchema", formInput("1")),
			formCase("schema that refuses", "inputSchema", formInput(`"x"`)),
			{name: "contexts", raw: rawTask(fullTask+"contexts", formOf(formInput("1")), formType, `x-runner-context: {"full.user":"{\"name\":\"Ann\"}","full.tenant":"T:acme"}`)},
			{name: "contexts not let in", raw: rawTask(fullTask+"noContexts", formOf(formInput("1")), formType, `x-runner-context: {"full.user":"1"}`)},
			{name: "bad contexts", raw: rawTask(fullTask+"contexts", formOf(formInput("1")), formType, "x-runner-context: {")},
			{name: "request id", raw: rawTask("app.tasks.requestId", formOf(formInput("1")), formType, "x-runner-request-id: a")},
		},
	)},
}

func sentinelCases(pairs ...string) (cases []exchange) {
	for i := 0; i < len(pairs); i += 2 {
		cases = append(cases, formCase(pairs[i], "filesInside", formInput(pairs[i+1]), formFile("a", "content")))
	}
	return cases
}

// idCases are about the names of parts.
func idCases() (cases []exchange) {
	for _, id := range []string{"", " a b ", "file:a", "../a", "__proto__", "a%20b", letters(200), letters(2000)} {
		part := formPart("content", `Content-Disposition: form-data; name="file:`+id+`"; filename="x"`)
		cases = append(cases, formCase(fmt.Sprintf("id %.20q of %d", id, len(id)), "filesInside", formInput(`{"f":`+sentinel(id)+`}`), part))
	}
	return append(cases,
		formCase("id in another case", "filesInside", formInput(sentinel("A")), formFile("a", "content")),
		formCase("id in Latin-1", "filesInside", formInput(sentinel("ï")), formFile("\xef", "content")),
		formCase("id beyond ASCII", "filesInside", formInput(sentinel("č")), formFile("č", "content")),
	)
}

func metaCases(pairs ...string) (cases []exchange) {
	for i := 0; i < len(pairs); i += 2 {
		cases = append(cases, formCase(pairs[i], "file", formInput(`{"file":`+sentinelMeta("a", pairs[i+1])+`}`), formFile("a", "content")))
	}
	return cases
}

// partCases return one case for each pair of a name and the header lines of a file.
func partCases(pairs ...string) (cases []exchange) {
	for i := 0; i < len(pairs); i += 2 {
		part := formPart("content", strings.Split(pairs[i+1], "|")...)
		cases = append(cases, formCase("part: "+pairs[i], "file", fileAInput(), part))
	}
	return cases
}

func throwingForms(names ...string) (cases []exchange) {
	for _, name := range names {
		input := `{"file":` + sentinel("a") + `,"fails":"` + name + `"}`
		cases = append(cases, formCase("throws "+name, "fileThrows", formInput(input), formFile("a", "content")))
	}
	return cases
}

// The limits of Runner's server are exclusive where they count bytes: one more there is
// the same maximum.
var formLimitGroups = []serverPair{
	{
		name: "limits of a form", app: testapp.FullApp, runnerOnly: true,
		runner: map[string]any{"limits": map[string]any{"multipart": map[string]any{"fileSize": 11, "fieldSize": 101, "files": 3, "fields": 3}}},
		ours:   tunnel.Config{Limits: protocol.Limits{MaxFileSize: 10, MaxFieldSize: 100, MaxFiles: 3, MaxFields: 3}},
		cases: []exchange{
			formCase("file of 9", "file", fileAInput(), formFile("a", letters(9))),
			formCase("file of 10", "file", fileAInput(), formFile("a", letters(10))),
			formCase("file of 11", "filesIgnored", fileAInput(), formFile("a", letters(11))),
			formCase("file of 5000", "filesIgnored", fileAInput(), formFile("a", letters(5000))),
			formCase("file of 11 before the manifest", "filesIgnored", formFile("a", letters(11)), fileAInput()),
			formCase("undeclared file of 11", "filesIgnored", formInput("1"), formFile("a", letters(11))),
			formCase("file of 11 of another name", "filesIgnored", formInput("1"), formPart(letters(11), `Content-Disposition: form-data; name="a"; filename="a"`)),
			formCase("manifest of 99", "filesIgnored", formManifest(`{"input":"`+letters(87)+`"}`)),
			formCase("manifest of 100", "filesIgnored", formManifest(`{"input":"`+letters(88)+`"}`)),
			formCase("manifest of 101", "filesIgnored", formManifest(`{"input":"`+letters(89)+`"}`)),
			formCase("manifest of 5000", "filesIgnored", formManifest(`{"input":"`+letters(4988)+`"}`)),
			formCase("field of 100", "filesIgnored", formInput("1"), formField("x", letters(100))),
			formCase("field of 101", "filesIgnored", formInput("1"), formField("x", letters(101))),
			formCase("field of 101 before the manifest", "filesIgnored", formField("x", letters(101)), formInput("1")),
			formCase("3 fields", "filesIgnored", formInput("1"), formField("x", "1"), formField("x", "2")),
			formCase("4 fields", "filesIgnored", formInput("1"), formField("x", "1"), formField("x", "2"), formField("y", "3")),
			formCase("4 fields, the last the manifest", "filesIgnored", formField("x", "1"), formField("x", "2"), formField("y", "3"), formInput("1")),
			formCase("3 files", "filesInTurn", filesInput("a", "b"), formFile("a", "1"), formFile("b", "2"), formFile("x", "3")),
			formCase("4 files", "filesIgnored", filesInput("a"), formFile("a", "1"), formFile("b", "2"), formFile("c", "3"), formFile("d", "4")),
			formCase("4 files of other names", "filesIgnored", append([]string{formInput("1")}, slices.Repeat([]string{formPart("1", `Content-Disposition: form-data; name="x"; filename="a"`)}, 4)...)...),
			formCase("4 files that are not there", "filesIgnored", formManifest(`{"input":["`+letters(20)+`"]}`), formField("x", "1")),
			formCase("413 and a bad form", "filesIgnored", formInput("1"), formField("x", letters(101)), formInput("1")),
			formCase("413 and a missing file", "filesIgnored", fileAInput(), formField("x", letters(101))),
			formCase("413 and a task that throws", "fileThrows", formInput(`{"fails":"coded"}`), formField("x", letters(101))),
			{name: "413, then a call", answers: 2, raw: rawTask(fullTask+"filesIgnored", formOf(fileAInput(), formFile("a", letters(5000))), formType) + rawAdd()},
			{name: "401 before 413", raw: rawRequest("POST", "/__runner/task/full.tasks.file", formOf(fileAInput(), formFile("a", letters(11))),
				formType, lengthLine(formOf(fileAInput(), formFile("a", letters(11)))))},
		},
	},
	{
		name: "limits of a form, as they are", app: testapp.FullApp, runnerOnly: true,
		cases: []exchange{
			formCase("10 files", "filesInTurn", manyFiles(10)...),
			formCase("11 files", "filesIgnored", manyFiles(11)...),
			formCase("11 files that are not there", "filesIgnored", manyFiles(11)[0]),
			formCase("100 fields", "filesIgnored", append([]string{formInput("1")}, slices.Repeat([]string{formField("x", "1")}, 99)...)...),
			formCase("101 fields", "filesIgnored", append([]string{formInput("1")}, slices.Repeat([]string{formField("x", "1")}, 100)...)...),
			bigManifest("manifest of 1 MiB - 1", 1<<20-1), bigManifest("manifest of 1 MiB", 1<<20), bigManifest("manifest of 1 MiB + 1", 1<<20+1),
			bigFile("file of 20 MiB - 1", 20<<20-1), bigFile("file of 20 MiB", 20<<20), bigFile("file of 20 MiB + 1", 20<<20+1),
		},
	},
}

// manyFiles is a form with so many files.
func manyFiles(n int) (parts []string) {
	ids := strings.Split(letters(n), "")
	for i := range ids {
		ids[i] += strings.Repeat("y", i)
		parts = append(parts, formFile(ids[i], "content"))
	}
	return append([]string{filesInput(ids...)}, parts...)
}

func bigManifest(name string, size int) exchange {
	return exchange{name: name, big: func() string {
		return formCase("", "filesIgnored", formManifest(`{"input":"`+letters(size-len(`{"input":""}`))+`"}`)).raw
	}}
}

func bigFile(name string, size int) exchange {
	return exchange{name: name, big: func() string {
		return formCase("", "filesInTurn", filesInput("a"), formFile("a", letters(size))).raw
	}}
}
