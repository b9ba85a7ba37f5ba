package differential_test

import (
	"slices"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"

	tunnel "github.com/bluelibs/go-tunnel"
)

const echoTarget = "/__runner/task/app.tasks.echo"

func letters(n int) string { return strings.Repeat("x", n) }

// nestedArrays returns arrays in one another, n of them.
func nestedArrays(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// nestedObjects returns objects in one another, n of them.
func nestedObjects(n int) string {
	return strings.Repeat(`{"a":`, n-1) + "{}" + strings.Repeat("}", n-1)
}

// input64 has exactly 64 bytes.
var input64 = `{"input":"` + letters(64-len(`{"input":""}`)) + `"}`

var bodyGroups = []serverPair{
	{name: "input", cases: bodyCases(echoTarget,
		"none", "",
		"null", "null",
		"true", "true",
		"false", "false",
		"zero", "0",
		"number", "-12.5",
		"string", `"s"`,
		"empty string", `""`,
		"array", `[1,"2",null]`,
		"empty array", "[]",
		"empty object", "{}",
		"object without input", `{"a":1}`,
		"input in another case", `{"Input":1}`,
		"payload of a task", `{"payload":1}`,
		"input", `{"input":{"a":1}}`,
		"input and others", `{"a":1,"input":2,"b":3}`,
		"input of null", `{"input":null}`,
		"input of false", `{"input":false}`,
		"input in input", `{"input":{"input":1}}`,
		"input in an array", `[{"input":1}]`,
		"Undefined as input", `{"input":{"__type":"Undefined","value":null}}`,
		"Undefined as the body", `{"__type":"Undefined","value":null}`,
		"Undefined in input", `{"input":{"a":1,"b":[{"__type":"Undefined","value":null}]}}`,
		"Undefined without a value", `{"input":{"__type":"Undefined"}}`,
		"Undefined and more", `{"input":{"value":7,"a":1,"__type":"Undefined"}}`,
		"Undefined with escapes", `{"input":{"__type":"Undef\u0069ned","value":null}}`,
		"type that is no string", `{"input":{"__type":1,"value":2}}`,
		"input twice", `{"input":1,"input":2}`,
		"escaped input", `{"\u0069nput":1}`,
		"input and escaped input", `{"input":1,"\u0069nput":2}`,
		"name twice inside", `{"input":{"a":1,"a":2}}`,
		"file sentinel", `{"input":{"$runnerFile":"File","id":"F1"}}`,
		"text that looks like HTML", `{"input":"<a href='x'>&amp;/</a>"}`,
		"line separators", "{\"input\":\"\u2028\u2029\"}",
		"characters of all lengths", `{"input":"aé日😀"}`,
		"control characters", `{"input":"\u0000\u001f\b\f\n\r\t\"\\`+"\x7f"+`"}`,
		"large numbers", `{"input":[1e+21,1e-7,9007199254740991,0.1]}`,
		"names of a prototype", `{"input":{"a":1,"__proto__":{"b":2},"constructor":3,"prototype":4}}`,
		"name of a prototype at the root", `{"__proto__":{"input":1}}`,
	)},
	{name: "JSON", cases: slices.Concat(bodyCases(echoTarget,
		"malformed", "{",
		"truncated string", `{"input":"a`,
		"truncated literal", "tru",
		"trailing garbage", "{}x",
		"two documents", "{}{}",
		"comment", "{/**/}",
		"single quotes", "{'input':1}",
		"bare name", "{input:1}",
		"NaN", `{"input":NaN}`,
		"Infinity", `{"input":-Infinity}`,
		"undefined", "undefined",
		"comma at the end", `{"input":1,}`,
		"comma at the end of an array", "[1,]",
		"missing value", `{"input":}`,
		"blanks", "  ",
		"line breaks", "\r\n",
		"NUL", "\x00",
		"NUL at the end", "{}\x00",
		"UTF-16", "\xff\xfe{\x00}\x00",
		"byte order mark", "\xef\xbb\xbf{}",
		"blanks around", " \t\r\n{\"input\":1} \t\r\n",
		"blanks around a bare value", " \n1\n ",
		"blank that is none", "\v1",
		"no-break space", "\u00a0"+"1",
		"leading zero", "01",
		"plus", "+1",
		"point at the end", "1.",
		"point at the start", ".5",
		"hexadecimal", "0x10",
		"exponent without digits", "1e",
		"minus", "-",
		"raw control character in a string", "\"a\nb\"",
		"raw tab in a string", "\"a\tb\"",
		"unknown escape", `"\x41"`,
		"short escape", `"\u12"`,
		"invalid UTF-8", "\"a\xffb\"",
		"invalid UTF-8 in a name", "{\"a\xff\":1}",
		"invalid UTF-8 outside a string", "\xff1",
		"UTF-8 that is cut", "\"a\xe2\x82\"",
		"UTF-8 that is cut, then more", "\"\xf0\x9f\x98x\xe2\x82\xe2\x82\xac\"",
		"UTF-8 that is too long", "\"\xc0\x80\xe0\x80\x80\xf0\x80\x80\x80\"",
		"UTF-8 surrogates", "\"\xed\xa0\x80\xed\xb0\x80\"",
		"UTF-8 beyond Unicode", "\"\xf4\x90\x80\x80\xf5\xfe\"",
		"lone surrogate", `"\ud800"`,
		"lone low surrogate", `"\udc00x"`,
		"surrogates the wrong way round", `"\udc00\ud800"`,
		"lone surrogate as a name", `{"\ud800":1}`,
		"depth of 1000", `{"input":`+nestedArrays(1000)+"}",
		"depth of 1001", `{"input":`+nestedArrays(1001)+"}",
		"depth of 1000 as the root", nestedArrays(1001),
		"depth of 1001 as the root", nestedArrays(1002),
		"depth of 1000 in objects", `{"input":`+nestedObjects(1000)+"}",
		"depth of 1001 in objects", `{"input":`+nestedObjects(1001)+"}",
		"depth of 1001 beside input", `{"a":`+nestedArrays(1001)+`,"input":1}`,
		"depth of 100000", nestedArrays(100_000),
		"100000 brackets", strings.Repeat("[", 100_000),

		// What JSON.parse and JSON.stringify change.
		"number with a fraction of zero", `{"input":1.0}`,
		"number with an exponent", `{"input":1e3}`,
		"number beyond all", `{"input":1e400}`,
		"number that is rounded", `{"input":9007199254740993}`,
		"minus zero", `{"input":-0}`,
		"blanks inside", `{"input":{"a": [1, 2]}}`,
		"escapes that need not be", `{"input":"\u0041\/"}`,
		"names that are integers", `{"input":{"b":1,"2":2,"1":3}}`,
	), []exchange{
		{name: "a full buffer", raw: rawPost(echoTarget, `{"input":"`+letters(200_000)+`"}`)},
		{name: "2 MiB", raw: rawPost(echoTarget, `"`+letters(protocol.DefaultMaxBody-2)+`"`)},
		{name: "no length", raw: rawToken("POST", echoTarget, "")},
		{name: "chunked", raw: rawChunked(`{"input":[1,2]}`, 1000)},
		{name: "chunked, byte by byte", raw: rawChunked(`{"input":"é😀"}`, 1)},
		{name: "chunked, empty", raw: rawChunked("", 1)},
		{name: "chunk extension and trailer", raw: rawToken("POST", echoTarget, "4;a=b\r\ntrue\r\n0\r\nX-A: b\r\n\r\n", "Transfer-Encoding: chunked")},
		{name: "bad chunk", raw: rawToken("POST", echoTarget, "zz\r\ntrue\r\n0\r\n\r\n", "Transfer-Encoding: chunked")},
		{name: "cut upload", cut: true, raw: rawToken("POST", echoTarget, "tr", "Content-Length: 4")},
		{name: "cut chunked upload", cut: true, raw: rawToken("POST", echoTarget, "4\r\ntr", "Transfer-Encoding: chunked")},
		{name: "two calls on a connection", answers: 2, raw: rawPost(echoTarget, "1") + rawPost(echoTarget, "2")},
		{name: "400, then a call", answers: 2, raw: rawPost(echoTarget, "{") + rawPost(echoTarget, "2")},
	}, typeCases())},
	{
		name:   "small limit",
		runner: map[string]any{"limits": map[string]any{"json": map[string]any{"maxSize": 64}}},
		ours:   tunnel.Config{Limits: protocol.Limits{MaxBody: 64}},
		cases: []exchange{
			{name: "at the limit", raw: rawPost(echoTarget, input64)},
			{name: "over the limit", raw: rawPost(echoTarget, input64+" ")},
			{name: "far over the limit", raw: rawPost(echoTarget, letters(10_000))},
			{name: "chunked, at the limit", raw: rawChunked(input64, 10)},
			{name: "chunked, over the limit", raw: rawChunked(input64+" ", 10)},
			{name: "event over the limit", raw: rawEvent("app.events.notify", input64+" ")},
			{name: "413, then a call", answers: 2, raw: rawPost(echoTarget, input64+" ") + rawPost(echoTarget, "1")},
			{name: "401 before 413", raw: rawRequest("POST", echoTarget, input64+" ", lengthLine(input64+" "))},
			{name: "403 before 413", raw: rawTask("app.tasks.hidden", input64+" ")},
			{name: "over the limit by its length alone", cut: true, raw: rawToken("POST", echoTarget, "1", "Content-Length: 65")},
			{name: "discovery has none", raw: rawGet("/__runner/discovery")},
		},
	},
}

func rawChunked(body string, n int) string {
	return rawToken("POST", echoTarget, chunksOf(body, n), "Transfer-Encoding: chunked")
}

func typeCases() (cases []exchange) {
	for _, contentType := range []string{
		"application/json", "application/json; charset=utf-8", "application/json; charset=iso-8859-1", "APPLICATION/JSON",
		"text/plain", "application/x-www-form-urlencoded", "garbage", "", "application/octet-stream ;x",
		"application/octet-streamx", "x-application/octet-stream", "multipart/mixed; boundary=x", "application/vnd.api+json",
	} {
		cases = append(cases, exchange{
			name: "type " + contentType,
			raw:  rawPost(echoTarget, `{"input":"é"}`, "Content-Type: "+contentType),
		})
	}
	return append(cases,
		exchange{name: "two types", raw: rawPost(echoTarget, "1", "Content-Type: text/plain", "Content-Type: multipart/form-data")},
		exchange{name: "plain body that claims gzip", raw: rawPost(echoTarget, "1", "Content-Encoding: gzip")},
		exchange{name: "plain body that claims brotli", raw: rawPost(echoTarget, "1", "Content-Encoding: br")},
		exchange{name: "identity", raw: rawPost(echoTarget, "1", "Content-Encoding: identity")},
		exchange{name: "gzip body", raw: rawPost(echoTarget, gzipOf("1"), "Content-Encoding: gzip")},
		exchange{name: "gzip accepted", raw: rawPost(echoTarget, "1", "Accept-Encoding: gzip", "Accept: text/html")},
	)
}
