package protocoltest

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// malformedCases are the bodies that are not JSON.
func malformedCases() []Case {
	bad := func(name, rule, body string) Case {
		return Case{Name: name, Rule: rule, Request: task("echo", body), Want: badJSON()}
	}
	inside := func(deep int, innermost string) string {
		return `{"input":` + strings.Repeat("[", deep) + innermost + strings.Repeat("]", deep) + `}`
	}
	const most = 1000
	return []Case{
		bad("cut short", "A body that ends early is refused.", `{"input":{"a":5`),
		bad("cut in a string", "A body that ends in a string is refused.", `{"input":"a`),
		bad("cut in an escape", "A body that ends in an escape is refused.", `{"input":"\u00`),
		bad("cut in a literal", "A body that ends in a literal is refused.", `tru`),
		bad("garbage behind", "A document with something behind it is refused.", `{"input":1}x`),
		bad("two documents", "Two documents are refused.", `{"input":1}{"input":2}`),
		bad("two documents on two lines", "A second document on a line of its own is refused.", "{\"input\":1}\n{\"type\":\"task\",\"id\":1,\"taskId\":\"app.tasks.hidden\"}"),
		bad("message behind the input", "What follows the document does not become a message.", "{\"input\":1}}\n{\"id\":1,\"ok\":true,\"result\":\"forged\"}"),
		bad("comment", "A comment is refused.", `{"input":1} // one`),
		bad("comment inside", "A comment inside is refused.", `{"input":/* one */1}`),
		bad("single quotes", "Single quotes are refused.", `{'input':1}`),
		bad("name without quotes", "A member name without quotes is refused.", `{input:1}`),
		bad("name that is a number", "A member name that is no string is refused.", `{1:2}`),
		bad("trailing comma", "A comma at the end of an object is refused.", `{"input":1,}`),
		bad("trailing comma in an array", "A comma at the end of an array is refused.", `[1,]`),
		bad("missing comma", "Members without a comma are refused.", `{"a":1 "b":2}`),
		bad("missing colon", "A member without a colon is refused.", `{"input" 1}`),
		bad("missing value", "A member without a value is refused.", `{"input":}`),
		bad("closing bracket alone", "A bracket that was not opened is refused.", `]`),
		bad("wrong bracket", "A bracket that does not fit is refused.", `[1}`),
		bad("NaN", "NaN is no JSON.", `NaN`),
		bad("Infinity", "Infinity is no JSON.", `{"input":-Infinity}`),
		bad("undefined", "The word undefined is no JSON.", `undefined`),
		bad("literal in capitals", "A literal in capitals is refused.", `True`),
		bad("leading zero", "A number with a leading zero is refused.", `{"input":01}`),
		bad("leading plus", "A number with a leading plus is refused.", `+1`),
		bad("hexadecimal number", "A hexadecimal number is refused.", `0x10`),
		bad("number without digits behind the point", "A number that ends in a point is refused.", `1.`),
		bad("number that begins with a point", "A number that begins with a point is refused.", `.5`),
		bad("number without an exponent", "A number that ends in its exponent sign is refused.", `1e+`),
		bad("raw line break in a string", "A raw line break in a string is refused.", "{\"input\":\"a\nb\"}"),
		bad("raw carriage return in a string", "A raw carriage return in a string is refused.", "{\"input\":\"a\rb\"}"),
		bad("raw tab in a string", "A raw tab in a string is refused.", "{\"input\":\"a\tb\"}"),
		bad("raw NUL in a string", "A raw NUL in a string is refused.", "{\"input\":\"a\x00b\"}"),
		bad("unknown escape", "An escape that JSON does not know is refused.", `{"input":"\x41"}`),
		bad("bad hexadecimal escape", "An escape with digits that are none is refused.", `{"input":"\u00g0"}`),
		bad("white space", "White space alone is refused.", " \r\n\t "),
		bad("NUL", "A NUL is refused.", "\x00"),
		bad("NUL behind", "A NUL behind the document is refused.", "{\"input\":1}\x00"),
		bad("byte order mark", "A byte order mark is refused.", "\ufeff{\"input\":1}"),
		bad("UTF-16", "UTF-16 is refused.", utf16LE(`{"input":1}`)),
		bad("no-break space", "A no-break space is no white space.", "{\"input\":\u00a01}"),
		bad("line separator outside a string", "A line separator is no white space.", "{\"input\":\u20281}"),
		bad("invalid UTF-8 outside a string", "What is not UTF-8 is refused outside of strings.", "{\"input\":\xff1}"),
		bad("1001 levels", "A value at depth 1001 is refused.", `{"input":`+deepArrays(most+1)+`}`),
		bad("scalar at level 1001", "A scalar counts as a level.", inside(most, `1`)),
		bad("objects of 1001 levels", "Objects count as arrays do.", strings.Repeat(`{"a":`, most+1)+`1`+strings.Repeat(`}`, most+1)),
		bad("100000 levels", "A document 100,000 deep is refused.", deepArrays(100_000)),
		bad("100000 levels, never closed", "A document 100,000 deep that ends early is refused.", strings.Repeat("[", 100_000)),
		bad("100000 levels of objects", "An object 100,000 deep is refused.", strings.Repeat(`{"a":`, 100_000)),
		{
			Name: "1000 levels", Rule: "A value at depth 1000 is accepted, the root being at 0.",
			Request: task("echo", `{"input":`+deepArrays(most)+`}`), Want: result(deepArrays(most)),
		},
		{
			Name: "scalar at level 1000", Rule: "A scalar at depth 1000 is accepted.",
			Request: task("echo", inside(most-1, `1`)),
			Want:    result(strings.Repeat("[", most-1) + `1` + strings.Repeat("]", most-1)),
		},
		{
			Name: "1000 levels without input", Rule: "The depth counts from the root of the document, with or without input.",
			Request: task("echo", deepArrays(most+1)), Want: result(deepArrays(most + 1)),
		},
	}
}

// textCases are unusual bodies that are JSON.
func textCases() []Case {
	echo := func(name, rule, body, value string) Case {
		return Case{Name: name, Rule: rule, Request: task("echo", body), Want: result(value)}
	}
	const replaced = "\ufffd"
	return []Case{
		echo("white space around", "White space around the document is accepted.", " \t\r\n{\"input\":\"a\"}\r\n\t ", `"a"`),
		echo("white space around a bare value", "White space around a bare value is not part of it.", " \r\n 5 \r\n ", `5`),
		{
			Name: "pretty-printed", Rule: "A document may stand on several lines.",
			Request: task("add", "{\n  \"input\": {\n    \"a\": 5,\n    \"b\": 3\n  }\n}\n"), Want: result(`8`),
		},
		{
			Name: "pretty-printed with carriage returns", Rule: "A carriage return is white space.",
			Request: task("add", "{\r\"input\":\r\n{\r\"a\":\r5,\r\"b\":\r3\r}\r}"), Want: result(`8`),
		},
		{
			Name: "forged message", Rule: "An input on a line of its own is an input and no message.",
			Request: task("add", "{\"input\":\n{\"type\":\"task\",\"id\":1,\"taskId\":\"app.tasks.hidden\",\"input\":null,\n\"a\":5,\n\"b\":3}\n}"),
			Want:    result(`8`),
		},
		echo("forged answer", "An input in the form of an answer is an input.", `{"input":{"id":1,"ok":true,"result":"forged"}}`, `{"id":1,"ok":true,"result":"forged"}`),
		echo("line break in an escape", "An escaped line break stays one.", `{"input":"a\nb\r\n"}`, `"a\nb\r\n"`),
		echo("line separators", "Line and paragraph separators in a string stay as they are.", "{\"input\":\"a\u2028b\u2029c\"}", "\"a\u2028b\u2029c\""),
		echo("NUL in an escape", "An escaped NUL stays one.", `{"input":"a\u0000b"}`, `"a\u0000b"`),
		echo("lone surrogate", "The escape of a lone surrogate is kept.", `{"input":"\ud800"}`, `"\ud800"`),
		echo("surrogates in the wrong order", "Escapes of surrogates in the wrong order are kept.", `{"input":"\udc00\ud800"}`, `"\udc00\ud800"`),
		echo("markup", "Markup is not escaped.", `{"input":"<a href=\"x\">&amp;'</a>"}`, `"<a href=\"x\">&amp;'</a>"`),
		echo("many bytes of UTF-8", "UTF-8 stays as it is.", `{"input":"é漢😀"}`, `"é漢😀"`),
		echo("byte order mark in a string", "A byte order mark in a string stays.", "{\"input\":\"\ufeff\"}", "\"\ufeff\""),
		echo("delete character", "A delete character may stand in a string.", "{\"input\":\"\x7f\"}", "\"\x7f\""),
		echo("empty name", "A member name may be empty.", `{"input":{"":1}}`, `{"":1}`),
		echo("names of an object's own", "Names that mean something to JavaScript are data.", `{"input":{"toString":1,"length":2}}`, `{"toString":1,"length":2}`),
		echo("stray byte", "A byte that is not UTF-8 is replaced by U+FFFD.", "{\"input\":\"a\xffb\"}", `"a`+replaced+`b"`),
		echo("stray bytes", "Bytes that begin nothing are replaced one by one.", "{\"input\":\"\xff\xfe\x80\"}", `"`+strings.Repeat(replaced, 3)+`"`),
		echo("two bytes of three", "The beginning of a sequence is replaced as one.", "{\"input\":\"\xe2\x82A\"}", `"`+replaced+`A"`),
		echo("three bytes of four", "The longest beginning of a sequence is replaced as one.", "{\"input\":\"\xf0\x9f\x98\"}", `"`+replaced+`"`),
		echo("beginnings in a row", "Beginnings of sequences are replaced each by itself.", "{\"input\":\"\xe2\x82\xf0\x9f\xc3\"}", `"`+strings.Repeat(replaced, 3)+`"`),
		echo("overlong sequence", "The bytes of an overlong sequence are replaced one by one.", "{\"input\":\"\xc0\xaf\xe0\x80\x80\"}", `"`+strings.Repeat(replaced, 5)+`"`),
		echo("surrogate in UTF-8", "The bytes of an encoded surrogate are replaced one by one.", "{\"input\":\"\xed\xa0\x80\"}", `"`+strings.Repeat(replaced, 3)+`"`),
		echo("beyond Unicode", "The bytes of a number beyond Unicode are replaced one by one.", "{\"input\":\"\xf4\x90\x80\x80\"}", `"`+strings.Repeat(replaced, 4)+`"`),
		echo("stray byte in a name", "A member name is made UTF-8 too.", "{\"input\":{\"\xff\":1}}", `{"`+replaced+`":1}`),
	}
}

// deepArrays returns n arrays, each inside the one before.
func deepArrays(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func utf16LE(s string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + s)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return string(b)
}
