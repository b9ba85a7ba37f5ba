package differential_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bluelibs/go-tunnel/tests/testapp"
)

// kitGroups are for all executors that move bytes: the tasks of the conformance kit.
var kitGroups = []serverPair{
	{name: "kit: files", movesBytes: true, cases: slices.Concat(
		kitForms("in turn", []string{"a", "b"}, "m a b", "m b a", "a m b", "b m a", "a b m", "b a m"),
		kitForms("the other way round", []string{"b", "a"}, "m a b", "b a m"),
		kitForms("one of them", []string{"b"}, "m a b", "a m b"),
		kitForms("none of them", nil, "m a b", "b a m"),
		kitForms("not all are there", []string{"a"}, "m a", "a m", "m b", "m"),
		kitForms("others are there", []string{"a", "b"}, "m x a y b z"),
		kitForms("no manifest", []string{"a", "b"}, "a b", "a", ""),
	)},
	{name: "kit: bodies", movesBytes: true, cases: []exchange{
		kitBody("empty", ""),
		kitBody("a byte", "x"),
		kitBody("64 KiB", letters(64<<10)),
		kitBody("1 MiB", letters(1<<20)),
		{name: "chunked", raw: rawToken("POST", "/__runner/task/kit.body", chunksOf(letters(10_000), 999), octetType, "Transfer-Encoding: chunked")},
		{name: "duplex", raw: rawTask("kit.duplex", strings.Repeat("a body", 20_000), octetType)},
		{name: "duplex, empty", raw: rawTask("kit.duplex", "", octetType)},
		{name: "duplex, 1 MiB", raw: rawTask("kit.duplex", letters(1<<20), octetType)},
		{name: "not listed", raw: rawTask("app.tasks.hidden", "a body", octetType)},
		{name: "no token", raw: rawRequest("POST", "/__runner/task/kit.body", "a body", octetType, lengthLine("a body"))},
		{name: "a task without a use for it", raw: rawTask("app.tasks.nothing", "a body", octetType)},
		{name: "a task that fails", raw: rawTask("app.tasks.fail", "a body", octetType)},
		{name: "a typed error", raw: rawTask("app.tasks.teapot", "a body", octetType)},
		{name: "two on a connection", answers: 2, raw: rawTask("kit.body", "one", octetType) + rawTask("kit.body", "two", octetType)},
		{name: "unread, then a call", answers: 2, raw: rawTask("app.tasks.nothing", "one", octetType) + rawTask("kit.body", "two", octetType)},
	}},
	{name: "kit: streams", movesBytes: true, cases: []exchange{
		kitStream("empty", `{"size":0}`),
		kitStream("short", `{"size":5}`),
		kitStream("1 MiB", `{"size":1048576}`),
		kitStream("status", `{"size":1,"status":201}`),
		kitStream("type", `{"size":1,"contentType":"text/plain; charset=utf-8"}`),
		kitStream("headers", `{"size":1,"headers":{"x-a":"b","etag":"\"e\"","content-disposition":"attachment"}}`),
		kitStream("type in headers", `{"size":1,"contentType":"text/plain","headers":{"content-type":"text/csv"}}`),
		kitStream("dropped headers", `{"size":1,"headers":{"set-cookie":"a=b","access-control-allow-origin":"x","x-frame-options":"x","x-a":"b"}}`),
		kitStream("JSON that is none", `{"size":1,"contentType":"application/json"}`),
		{name: "HTTP/1.0", raw: strings.Replace(rawTask("kit.stream", `{"input":{"size":5}}`), "HTTP/1.1", "HTTP/1.0", 1)},
		{name: "last of a connection", raw: rawTask("kit.stream", `{"input":{"size":5}}`, "Connection: close")},
		{name: "then a call", answers: 2, raw: rawTask("kit.stream", `{"input":{"size":5}}`) + rawAdd()},
		{name: "HEAD", raw: rawToken("HEAD", "/__runner/task/kit.stream", "")},
	}},
}

// kitForms returns one form for each order of a manifest, m, that names the files a and
// b, and of these and others.
func kitForms(name string, read []string, orders ...string) (cases []exchange) {
	quoted := make([]string, len(read))
	for i, id := range read {
		quoted[i] = `"` + id + `"`
	}
	manifest := formInput(fmt.Sprintf(`{"files":{"a":%s,"b":%s},"read":[%s]}`, sentinel("a"), sentinel("b"), strings.Join(quoted, ",")))
	for _, order := range orders {
		var parts []string
		for _, part := range strings.Fields(order) {
			switch part {
			case "m":
				parts = append(parts, manifest)
			default:
				parts = append(parts, formFile(part, strings.Repeat(part, 1000)))
			}
		}
		cases = append(cases, exchange{name: name + ": " + order, raw: rawTask("kit.upload", formOf(parts...), formType)})
	}
	return cases
}

func kitBody(name, body string) exchange {
	return exchange{name: name, raw: rawTask("kit.body", body, octetType)}
}

func kitStream(name, input string) exchange {
	return exchange{name: name, raw: rawTask("kit.stream", `{"input":`+input+`}`)}
}

// oneFile is a form that is all right.
var oneFile = formOf(fileAInput(), formFile("a", "content of a"))

var formGroups = []serverPair{
	{name: "form", app: testapp.FullApp, runnerOnly: true, cases: slices.Concat(
		[]exchange{
			{name: "right", raw: rawTask(fullTask+"file", oneFile, formType)},
			{name: "chunked", raw: rawToken("POST", "/__runner/task/full.tasks.file", chunksOf(oneFile, 50), formType, "Transfer-Encoding: chunked")},
			{name: "chunked, byte by byte", raw: rawToken("POST", "/__runner/task/full.tasks.file", chunksOf(oneFile, 1), formType, "Transfer-Encoding: chunked")},
			{name: "gzip", raw: rawTask(fullTask+"file", gzipOf(oneFile), formType, "Content-Encoding: gzip")},
			{name: "brotli", raw: rawTask(fullTask+"file", oneFile, formType, "Content-Encoding: br")},
			{name: "empty", raw: rawTask(fullTask+"file", "", formType)},
			{name: "end alone", raw: rawTask(fullTask+"file", "--b0--\r\n", formType)},
			{name: "no form", raw: rawTask(fullTask+"file", `{"input":1}`, formType)},
			{name: "line feeds", raw: rawTask(fullTask+"file", strings.ReplaceAll(oneFile, "\r", ""), formType)},
			{name: "preamble and epilogue", raw: rawTask(fullTask+"file", "before\r\n"+oneFile+"behind\r\n--b0\r\n", formType)},
			{name: "blanks behind the boundary", raw: rawTask(fullTask+"file", strings.ReplaceAll(oneFile, "--b0\r\n", "--b0 \t\r\n"), formType)},
			{name: "boundary inside a file", raw: rawTask(fullTask+"file", formOf(fileAInput(), formFile("a", "x\r\n--b\r\n--b1\r\n-\n--b0\n--b0\r")), formType)},
			{name: "empty file", raw: rawTask(fullTask+"file", formOf(fileAInput(), formFile("a", "")), formType)},
			{name: "two on a connection", answers: 2, raw: rawTask(fullTask+"file", oneFile, formType) + rawTask(fullTask+"file", oneFile, formType)},
			{name: "400, then a call", answers: 2, raw: rawTask(fullTask+"file", formOf(), formType) + rawAdd()},
			{name: "no token", raw: rawRequest("POST", "/__runner/task/full.tasks.file", oneFile, formType, lengthLine(oneFile))},
			{name: "not listed", raw: rawTask("app.tasks.hidden", oneFile, formType)},
			{name: "cut upload", cut: true, raw: rawToken("POST", "/__runner/task/full.tasks.file", oneFile[:200], formType, lengthLine(oneFile))},
		},
		boundaryCases(),
		truncatedCases(),
	)},
	{name: "manifest", app: testapp.FullApp, runnerOnly: true, cases: slices.Concat(
		manifestCases(
			"empty", "",
			"blanks", " ",
			"null", "null",
			"number", "1",
			"string", `"input"`,
			"true", "true",
			"array", "[1]",
			"empty object", "{}",
			"no input", `{"a":1}`,
			"another case", `{"Input":1}`,
			"input", `{"input":{"a":[1,"2",null]}}`,
			"input of null", `{"input":null}`,
			"input of a number", `{"input":1}`,
			"input of Undefined", `{"input":`+typed("Undefined", "null")+`}`,
			"input and others", `{"a":1,"input":2,"b":3}`,
			"input twice", `{"input":1,"input":2}`,
			"escaped input", `{"\u0069nput":1}`,
			"blanks around", " \r\n{ \"input\" : 1 }\t",
			"Undefined", typed("Undefined", "null"),
			"Date", typed("Date", "0"),
			"Map", typed("Map", `[["input",1]]`),
			"number beyond all as the root", "1e400",
			"sentinel", sentinel("a"),
			"malformed", "{",
			"trailing garbage", "{}x",
			"byte order mark", "\xef\xbb\xbf{}",
			"invalid UTF-8", "{\"input\":\"\xff\"}",
			"unknown type", `{"input":`+typed("Unknown", "1")+`}`,
			"unsafe RegExp", `{"input":`+typed("RegExp", `{"pattern":"(a+)+","flags":""}`)+`}`,
			"names of a prototype", `{"input":{"a":1,"__proto__":{"b":2},"constructor":3}}`,
			"names of the serializer", `{"input":{"$runner.escape::__type":"Date","value":0}}`,
			"primitives", `{"input":[`+typed("BigInt", `"1"`)+`,`+typed("NonFiniteNumber", `"NaN"`)+`,`+typed("Undefined", "null")+`]}`,
			"depth of 999", `{"input":`+nestedArrays(999)+`}`,
			"depth of 1000", `{"input":`+nestedArrays(1000)+`}`,
			"depth of 1001", `{"input":`+nestedArrays(1001)+`}`,
			"100 KB", `{"input":"`+letters(100_000)+`"}`,
		),
		[]exchange{
			formCase("missing", "describe", formField("a", "b")),
			formCase("of a type", "describe", formManifest(`{"input":1}`, "Content-Type: application/json; charset=utf-8")),
			formCase("as a file", "describe", formPart(`{"input":1}`, `Content-Disposition: form-data; name="__manifest"; filename="m"`)),
			formCase("as octets", "describe", formManifest(`{"input":1}`, "Content-Type: application/octet-stream")),
			formCase("as a file, then as a field", "describe",
				formPart(`{"input":1}`, `Content-Disposition: form-data; name="__manifest"; filename="m"`), formInput("2")),
			formCase("twice", "describe", formInput("1"), formInput("2")),
			formCase("twice, the first bad", "describe", formManifest("{"), formInput("2")),
			formCase("in two halves", "describe", formManifest(`{"input"`), formManifest(`:1}`)),
			formCase("twice, the second empty", "describe", formInput("1"), formManifest("")),
			formCase("name in another case", "describe", formField("__MANIFEST", `{"input":1}`)),
			formCase("behind other fields", "describe", formField("a", "b"), formField("a", "c"), formInput("1"), formField("d", "")),
			formCase("behind an unnamed field", "describe", formPart("x", "Content-Disposition: form-data"), formInput("1")),
			formCase("behind a part without a header", "describe", "\r\nx", formInput("1")),
			formCase("behind what is no form-data", "describe", formPart("x", `Content-Disposition: attachment; name="a"`), formInput("1")),
			formCase("in single quotes", "describe", formPart(`{"input":1}`, `Content-Disposition: form-data; name='__manifest'`)),
			formCase("without quotes", "describe", formPart(`{"input":1}`, `Content-Disposition: form-data; name=__manifest`)),
			formCase("header in another case", "describe", formPart(`{"input":1}`, `CONTENT-DISPOSITION: Form-Data; NAME="__manifest"`)),
			formCase("more headers", "describe", formPart(`{"input":1}`, "X-A: b", `Content-Disposition: form-data; name="__manifest"`, "Content-Length: 3")),
			formCase("base64", "describe", formManifest("eyJpbnB1dCI6MX0=", "Content-Transfer-Encoding: base64")),
			formCase("quoted-printable", "describe", formManifest(`{"input":"=41"}`, "Content-Transfer-Encoding: quoted-printable")),
			formCase("as a file of JSON", "describe", formPart(`{"input":1}`, `Content-Disposition: form-data; name="__manifest"; filename="blob"`, "Content-Type: application/json")),
			formCase("charset of Latin-1", "describe", formManifest("{\"input\":\"\xe9\"}", "Content-Type: text/plain; charset=ISO-8859-1")),
			formCase("charset of Latin-1, and UTF-8", "describe", formManifest(`{"input":"é"}`, "Content-Type: text/plain; charset=ISO-8859-1")),
			formCase("charset", "describe", formManifest(`{"input":"é"}`, "Content-Type: text/plain; charset=utf-8")),
		},
	)},
}

func manifestCases(pairs ...string) (cases []exchange) {
	for i := 0; i < len(pairs); i += 2 {
		cases = append(cases, formCase(pairs[i], "describe", formManifest(pairs[i+1])))
	}
	return cases
}

func boundaryCases() (cases []exchange) {
	for _, contentType := range []string{
		"multipart/form-data", "multipart/form-data; boundary=", `multipart/form-data; boundary=""`, "multipart/form-data; boundary=b1",
		`multipart/form-data; boundary="b0"`, "multipart/form-data;boundary=b0;charset=utf-8", "Multipart/Form-Data; Boundary=b0",
		"multipart/form-data; charset=utf-8; boundary=b0", "multipart/form-data ; boundary=b0", "multipart/form-data; boundary=B0",
		"multipart/form-data; boundary=--b0", "multipart/form-data; boundary=b0; boundary=b1", "x/y, multipart/form-data; boundary=b0",
		"multipart/form-datax; boundary=b0", "multipart/form-data; boundary=b0, x", `multipart/form-data; boundary="b0`,
	} {
		cases = append(cases, exchange{name: contentType, raw: rawTask(fullTask+"file", oneFile, "Content-Type: "+contentType)})
	}
	for _, boundary := range []string{letters(70), letters(71), letters(200), `'()+_,-./:=?`, "----------"} {
		form := strings.ReplaceAll(oneFile, "--b0", "--"+boundary)
		cases = append(cases, exchange{name: fmt.Sprintf("boundary %.20s of %d", boundary, len(boundary)), raw: rawTask(fullTask+"file", form, `Content-Type: multipart/form-data; boundary="`+boundary+`"`)})
	}
	return cases
}

// truncatedCases cut a form in every part of it.
func truncatedCases() (cases []exchange) {
	for n := 0; n < len(oneFile); n++ {
		for _, task := range []string{"file", "filesIgnored"} {
			cases = append(cases, exchange{name: fmt.Sprintf("%s, cut behind %d", task, n), raw: rawTask(fullTask+task, oneFile[:n], formType)})
		}
	}
	return cases
}
