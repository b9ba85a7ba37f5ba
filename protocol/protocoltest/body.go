package protocoltest

import (
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

// bodyCases are about the part of a body that is the input of a task.
func bodyCases() []Case {
	echo := func(name, rule, body, value string) Case {
		return Case{Name: name, Rule: rule, Request: task("echo", body), Want: result(value)}
	}
	typed := func(name, rule, contentType string) Case {
		return Case{Name: name, Rule: rule, Request: add().contentType(contentType), Want: result(`8`)}
	}
	return []Case{
		echo("none", "Without a body the input is undefined.", ``, undefined),
		echo("null", "A body of null is the input null.", `null`, `null`),
		echo("boolean", "A body of a boolean is the input.", `true`, `true`),
		echo("zero", "A body of zero is the input.", `0`, `0`),
		echo("string", "A body of a string is the input.", `"s"`, `"s"`),
		echo("empty string", "A body of an empty string is the input.", `""`, `""`),
		echo("array", "A body of an array is the input.", `[1,"two",null]`, `[1,"two",null]`),
		echo("empty object", "A body of an empty object is the input.", `{}`, `{}`),
		echo("object with input", "The member input is the input.", `{"input":{"a":1}}`, `{"a":1}`),
		echo("input null", "The member input may be null.", `{"input":null}`, `null`),
		echo("input among others", "Members beside input are dropped.", `{"a":1,"input":2,"b":{"input":3}}`, `2`),
		echo("input in the input", "An input keeps its own member input.", `{"input":{"input":5}}`, `{"input":5}`),
		echo("input twice", "Of two members input the last counts.", `{"input":1,"input":2}`, `2`),
		echo("input spelled with an escape", "The name input may be spelled with escapes.", `{"in\u0070ut":7}`, `7`),
		echo("input in capitals", "The name input is compared with regard to case, and a root without it is the input.", `{"Input":1}`, `{"Input":1}`),
		echo("object without input", "An object without input is the input as a whole.", `{"a":1,"b":[{"input":2}]}`, `{"a":1,"b":[{"input":2}]}`),
		echo("object with payload", "The member payload means nothing to a task.", `{"payload":1}`, `{"payload":1}`),
		echo("array around input", "Only the root is searched for input.", `[{"input":1}]`, `[{"input":1}]`),
		echo("input undefined", "The input may be undefined.", `{"input":{"__type":"Undefined","value":null}}`, undefined),
		echo("input undefined in another spelling", "Undefined is recognised whatever the order and the value of its members.", `{"input":{ "value" : 1, "__type" : "Undefined" }}`, undefined),
		echo("body undefined", "A body of undefined is the input undefined.", `{"value":0,"__type":"Undefined"}`, undefined),
		echo("undefined without a value", "A typed record without a value is a plain object.", `{"input":{"__type":"Undefined"}}`, `{"__type":"Undefined"}`),
		echo("typed value", "A typed record arrives as it was sent.", `{"input":{"__type":"BigInt","value":"123"}}`, `{"__type":"BigInt","value":"123"}`),
		echo("file in JSON", "A file's placeholder is a plain object in JSON mode.", `{"input":{"$runnerFile":"File","id":"F1"}}`, `{"$runnerFile":"File","id":"F1"}`),
		{
			Name: "no content type", Rule: "A body without a Content-Type is JSON.",
			Request: add().without("content-type"), Want: result(`8`),
		},
		typed("text", "A text body is JSON.", "text/plain"),
		typed("form", "A body that says to be an urlencoded form is JSON.", "application/x-www-form-urlencoded"),
		typed("garbage as content type", "A Content-Type that makes no sense means JSON.", "; /"),
		typed("charset", "A charset is ignored, the body is UTF-8.", "application/json; charset=iso-8859-1"),
		typed("octet-stream with a space", "An octet stream with a blank behind its name is none.", "application/octet-stream ;x"),
		typed("octet-stream with more letters", "A type that only begins like an octet stream is none.", "application/octet-streams"),
		{
			Name: "two content types", Rule: "Of two Content-Type headers the first counts.",
			Request: add().with("content-type", "multipart/form-data; boundary=x"), Want: result(`8`),
		},
	}
}

// sizeCases are about the size of a body.
func sizeCases() []Case {
	limited := Setup{Limits: protocol.Limits{MaxBody: int64(len(addBody))}}
	larger := addBody + " "
	fill := func(size int) string { return `"` + strings.Repeat("x", size-2) + `"` }
	const most = 2 << 20
	return []Case{
		{
			Name: "exactly the limit", Rule: "A body of exactly the limit is accepted.",
			Setup: limited, Request: add(), Want: result(`8`),
		},
		{
			Name: "exactly the limit, chunked", Rule: "A body of exactly the limit is accepted without an announced length.",
			Setup: limited, Request: add().chunked(), Want: result(`8`),
		},
		{
			Name: "over the limit", Rule: "A body of one byte more than the limit is refused.",
			Setup: limited, Request: post(addPath, larger), Want: tooLarge(),
		},
		{
			Name: "over the limit, chunked", Rule: "A body over the limit is refused without an announced length.",
			Setup: limited, Request: post(addPath, larger).chunked(), Want: tooLarge(),
		},
		{
			Name: "far over the limit, chunked", Rule: "A body far over the limit is refused without an announced length.",
			Setup: limited, Request: post(addPath, fill(300_000)).chunked(), Want: tooLarge(),
		},
		{
			Name: "event over the limit", Rule: "The limit holds for events too.",
			Setup: limited, Request: event("notify", fill(len(addBody)+1)), Want: tooLarge(),
		},
		{
			Name: "over the limit and no JSON", Rule: "The size of a body is checked before its form.",
			Setup: limited, Request: post(addPath, strings.Repeat("x", len(addBody)+1)), Want: tooLarge(),
		},
		{
			Name: "blanks over the limit", Rule: "White space counts.",
			Setup: limited, Request: post(addPath, strings.Repeat(" ", len(addBody))+addBody), Want: tooLarge(),
		},
		{
			Name: "announced over the limit", Rule: "A body that is announced to be over the limit is refused before it arrives.",
			Request: task("echo", "").with("content-length", "99000000"), Want: tooLarge(), HTTP1Only: true,
		},
		{
			Name: "announced and expecting to go on", Rule: "A body over the limit is not asked for.",
			Request: task("echo", "").with("content-length", "99000000").with("expect", "100-continue"), Want: tooLarge(), HTTP1Only: true,
		},
		{
			Name: "exactly the default limit", Rule: "The default limit is 2 MiB.",
			Request: task("nothing", fill(most)), Want: result(undefined),
		},
		{
			Name: "over the default limit", Rule: "A body of one byte more than 2 MiB is refused.",
			Request: task("nothing", fill(most+1)), Want: tooLarge(),
		},
		{
			Name: "in many chunks", Rule: "A body may arrive in any number of pieces.",
			Request: task("echo", fill(300_000)).chunked(), Want: result(fill(300_000)),
		},
		{
			Name: "raised limit", Rule: "The limit can be raised.",
			Setup: Setup{Limits: protocol.Limits{MaxBody: 3 << 20}}, Request: task("nothing", fill(3<<20)), Want: result(undefined),
		},
	}
}
