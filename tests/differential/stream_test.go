package differential_test

import (
	"slices"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

var streamGroups = []serverPair{
	{name: "stream", app: testapp.FullApp, runnerOnly: true, cases: slices.Concat(
		streamCases(
			"bare", `{"chunks":["some ","text"],"bare":true}`,
			"in an object", `{"chunks":["some ","text"]}`,
			"empty", `{"chunks":[]}`,
			"empty and bare", `{"bare":true}`,
			"empty chunks", `{"chunks":["a","","b"]}`,
			"bytes", `{"chunks":[`+typed("Buffer", "[0,255,10]")+`,`+typed("Uint8Array", "[1,2]")+`]}`,
			"large chunk", `{"chunks":["`+letters(300_000)+`"]}`,
			"many chunks", `{"chunks":[`+strings.Repeat(`"text",`, 1000)+`"end"]}`,
			"status 201", `{"chunks":["a"],"status":201}`,
			"status 404", `{"chunks":["a"],"status":404}`,
			"status 500", `{"chunks":["a"],"status":500}`,
			"status 599", `{"chunks":["a"],"status":599}`,
			"status 204", `{"chunks":["a"],"status":204}`,
			"status 304", `{"chunks":["a"],"status":304}`,
			"status 205", `{"chunks":["a"],"status":205}`,
			"status of null", `{"chunks":["a"],"status":null}`,
			"status of a string", `{"chunks":["a"],"status":"201"}`,
			"status of a fraction", `{"chunks":["a"],"status":201.7}`,
			"type", `{"chunks":["a"],"contentType":"text/plain; charset=utf-8"}`,
			"type of null", `{"chunks":["a"],"contentType":null}`,
			"type of nothing", `{"chunks":["a"],"contentType":""}`,
			"type of a number", `{"chunks":["a"],"contentType":1}`,
			"type of JSON", `{"chunks":["{\"ok\":true,\"result\":1}"],"contentType":"application/json"}`,
			"header", `{"chunks":["a"],"headers":{"X-A":"b","etag":"\"e\"","Content-Disposition":"attachment; filename=\"a\""}}`,
			"header of a list", `{"chunks":["a"],"headers":{"x-a":["b","c"]}}`,
			"header of a number", `{"chunks":["a"],"headers":{"x-a":1}}`,
			"header of nothing", `{"chunks":["a"],"headers":{"x-a":""}}`,
			"header of Undefined", `{"chunks":["a"],"headers":{"x-a":`+typed("Undefined", "null")+`}}`,
			"header that is none", `{"chunks":["a"],"headers":{"a b":"c"}}`,
			"header of two lines", `{"chunks":["a"],"headers":{"x-a":"b\r\nset-cookie: c"}}`,
			"header beyond Latin-1", `{"chunks":["a"],"headers":{"x-a":"日"}}`,
			"header of Latin-1", `{"chunks":["a"],"headers":{"x-a":"é"}}`,
			"headers of null", `{"chunks":["a"],"headers":null}`,
			"type in the headers", `{"chunks":["a"],"contentType":"text/plain","headers":{"Content-Type":"text/csv"}}`,
			"cookie", `{"chunks":["a"],"headers":{"Set-Cookie":"a=b","x-a":"b"}}`,
			"security headers", `{"chunks":["a"],"headers":{"X-Frame-Options":"SAMEORIGIN","x-content-type-options":"none"}}`,
			"headers of CORS", `{"chunks":["a"],"headers":{"access-control-allow-origin":"x","Access-Control-Allow-Credentials":"true","access-control-expose-headers":"x-a"}}`,
			"request id of its own", `{"chunks":["a"],"headers":{"x-runner-request-id":"own"}}`,
			"Vary", `{"chunks":["a"],"headers":{"vary":"accept"}}`,
			"right length", `{"chunks":["abc"],"headers":{"content-length":"3"}}`,
			"length of nothing", `{"chunks":[],"headers":{"content-length":"0"}}`,
			"more members", `{"chunks":["a"],"code":1,"ok":false,"result":2}`,
		),
		[]exchange{
			jsonCase("1 MiB", "zeros", `{"length":1048576}`),
			jsonCase("3 MiB and 1", "zeros", `{"length":3145729}`),
			jsonCase("text as stream", "noStream", `"text"`),
			jsonCase("pipe that is none", "noStream", `"pipe"`),
			jsonCase("web stream", "noStream", `"web"`),
			jsonCase("null as stream", "noStream", `"null"`),
			jsonCase("the caller's request id", "stream", `{"chunks":["a"]}`, "x-runner-request-id: a"),
			{name: "HTTP/1.0", raw: strings.Replace(rawTask(fullTask+"stream", `{"input":{"chunks":["a","b"]}}`), "HTTP/1.1", "HTTP/1.0", 1)},
			{name: "HTTP/1.0, empty", raw: strings.Replace(rawTask(fullTask+"stream", `{"input":{}}`), "HTTP/1.1", "HTTP/1.0", 1)},
			{name: "last of a connection", raw: rawTask(fullTask+"stream", `{"input":{"chunks":["a"]}}`, "Connection: close")},
			{name: "two on a connection", answers: 2, raw: rawTask(fullTask+"stream", `{"input":{"chunks":["a","b"]}}`) + rawTask(fullTask+"stream", `{"input":{"chunks":["c"]}}`)},
			{name: "HEAD", raw: rawToken("HEAD", "/__runner/task/full.tasks.stream", "")},
			{name: "gzip accepted", raw: rawTask(fullTask+"stream", `{"input":{"chunks":["a"]}}`, "Accept-Encoding: gzip")},
			{name: "from an origin", raw: rawTask(fullTask+"stream", `{"input":{"chunks":["a"]}}`, "Origin: https://a.test")},
		},
	)},
	{
		name: "stream and CORS", app: testapp.FullApp, runnerOnly: true,
		runner: map[string]any{"cors": map[string]any{"origin": []string{"https://a.test"}, "credentials": true, "exposedHeaders": []string{"x-a"}}},
		ours: tunnel.Config{CORS: &protocol.CORS{
			Origins: []string{"https://a.test"}, Credentials: true, ExposedHeaders: []string{"x-a"},
		}},
		cases: []exchange{
			jsonCase("listed", "stream", `{"chunks":["a"]}`, "Origin: https://a.test"),
			jsonCase("not listed", "stream", `{"chunks":["a"]}`, "Origin: https://b.test"),
			jsonCase("headers of its own", "stream", `{"chunks":["a"],"headers":{"access-control-allow-origin":"https://b.test","access-control-allow-credentials":"false"}}`, "Origin: https://a.test"),
			jsonCase("Vary of its own", "stream", `{"chunks":["a"],"headers":{"vary":"accept"}}`, "Origin: https://a.test"),
			jsonCase("exposed headers of its own", "stream", `{"chunks":["a"],"headers":{"access-control-expose-headers":"x-b"}}`, "Origin: https://a.test"),
			jsonCase("its response", "response", `{"steps":[["end","text"]]}`, "Origin: https://a.test"),
			{name: "form", raw: rawTask(fullTask+"file", oneFile, formType, "Origin: https://a.test")},
			octetCase("raw body", "bodyText", "text", "Origin: https://a.test"),
		},
	},
}

func streamCases(pairs ...string) (cases []exchange) {
	for i := 0; i < len(pairs); i += 2 {
		cases = append(cases, jsonCase(pairs[i], "stream", pairs[i+1]))
	}
	return cases
}
