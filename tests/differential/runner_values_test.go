package differential_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/bluelibs/go-tunnel/tests/testapp"
)

// withFull returns the options of createApp in app.js, with those of full.js.
func withFull(full, more map[string]any) map[string]any {
	app := map[string]any{"full": full}
	maps.Copy(app, more)
	return app
}

const (
	describeTarget      = "/__runner/task/full.tasks.describe"
	describeEventTarget = "/__runner/event/full.events.describe"
	changeEventTarget   = "/__runner/event/full.events.change"
)

// typed is a value as the serializer writes it.
func typed(name, value string) string { return `{"__type":"` + name + `","value":` + value + `}` }

// sentValues are documents of the serializer, right and wrong ones, and their names.
var sentValues = slices.Concat([]string{
	"Date", typed("Date", `"2024-01-02T03:04:05.678Z"`),
	"Date with an offset", typed("Date", `"2024-01-02T03:04:05+02:00"`),
	"Date of a number", typed("Date", "1.5"),
	"Date of null", typed("Date", "null"),
	"Date of no date", typed("Date", `"never"`),
	"Date beyond all", typed("Date", "1e300"),
	"Map", typed("Map", `[["a",1],[{"k":`+typed("Date", "0")+`},`+typed("Map", "[]")+`]]`),
	"Map of one name twice", typed("Map", `[["a",1],["a",2]]`),
	"Map of no pairs", typed("Map", "[1]"),
	"Map of an object", typed("Map", "{}"),
	"Map of null", typed("Map", "null"),
	"Set", typed("Set", `[1,"1",`+typed("BigInt", `"1"`)+`,[1],[1]]`),
	"Set of equals", typed("Set", `[1,1,"a","a"]`),
	"Set of a string", typed("Set", `"abca"`),
	"Set of a number", typed("Set", "1"),
	"RegExp", typed("RegExp", `{"pattern":"a(b|c)+\\/\u2028","flags":"giu"}`),
	"RegExp of all flags", typed("RegExp", `{"pattern":"a","flags":"dgimsvy"}`),
	"RegExp of a flag twice", typed("RegExp", `{"pattern":"a","flags":"gg"}`),
	"RegExp of a flag that is none", typed("RegExp", `{"pattern":"a","flags":"x"}`),
	"RegExp of flags that exclude each other", typed("RegExp", `{"pattern":"a","flags":"uv"}`),
	"RegExp without flags", typed("RegExp", `{"pattern":"a"}`),
	"RegExp that is none", typed("RegExp", `{"pattern":"(","flags":""}`),
	"RegExp that is unsafe", typed("RegExp", `{"pattern":"(a+)+","flags":""}`),
	"RegExp of overlapping alternatives", typed("RegExp", `{"pattern":"(a|ab)+","flags":""}`),
	"RegExp of 1024", typed("RegExp", `{"pattern":"`+letters(1024)+`","flags":""}`),
	"RegExp of 1025", typed("RegExp", `{"pattern":"`+letters(1025)+`","flags":""}`),
	"RegExp of a string", typed("RegExp", `"a"`),
	"BigInt", typed("BigInt", `"-1180591620717411303424"`),
	"BigInt with blanks and a sign", typed("BigInt", `" +007 "`),
	"BigInt of a fraction", typed("BigInt", `"1.5"`),
	"BigInt of a number", typed("BigInt", "1"),
	"BigInt in hexadecimal", typed("BigInt", `"0x10"`),
	"BigInt of nothing", typed("BigInt", `""`),
	"Undefined", typed("Undefined", "null"),
	"Undefined of anything", typed("Undefined", `[{"a":1}]`),
	"Undefined inside", `{"a":` + typed("Undefined", "null") + `,"b":[` + typed("Undefined", "null") + `]}`,
	"NaN", typed("NonFiniteNumber", `"NaN"`),
	"Infinity", typed("NonFiniteNumber", `"Infinity"`),
	"-Infinity", typed("NonFiniteNumber", `"-Infinity"`),
	"a finite number", typed("NonFiniteNumber", `"1"`),
	"number beyond all", "[1e400,-1e400]",
	"minus zero", "[-0]",
	"Symbol.for", typed("Symbol", `{"kind":"For","key":"a key"}`),
	"well-known symbol", typed("Symbol", `{"kind":"WellKnown","key":"iterator"}`),
	"well-known symbol in full", typed("Symbol", `{"kind":"WellKnown","key":"Symbol.iterator"}`),
	"unknown symbol", typed("Symbol", `{"kind":"WellKnown","key":"unknown"}`),
	"symbol of another kind", typed("Symbol", `{"kind":"Unique","key":"a"}`),
	"Error", typed("Error", `{"name":"TypeError","message":"a","stack":"a stack","customFields":{"code":"E","when":`+typed("Date", "0")+`}}`),
	"Error with a cause", typed("Error", `{"name":"Error","message":"a","stack":"s","cause":`+
		typed("Error", `{"name":"RangeError","message":"b","stack":"s","customFields":{}}`)+`,"customFields":{}}`),
	"Error with reserved fields", typed("Error", `{"name":"Error","message":"a","stack":"s","customFields":{"message":"x","toString":1,"__proto__":{"a":1},"constructor":2}}`),
	"Error without a message", typed("Error", `{"name":"Error"}`),
	"Error without a name", typed("Error", `{"message":"a"}`),
	"URL", typed("URL", `"HTTP://User@Example.test:80/a/../b?q=č#h"`),
	"URL that is none", typed("URL", `"/a"`),
	"URL of a number", typed("URL", "1"),
	"URLSearchParams", typed("URLSearchParams", `"a=1&a=2&b=%C4%8D+x"`),
	"URLSearchParams of a number", typed("URLSearchParams", "1"),
	"Buffer", typed("Buffer", "[0,65,255]"),
	"Buffer of large numbers", typed("Buffer", "[256]"),
	"Buffer of negative numbers", typed("Buffer", "[-1]"),
	"Buffer of fractions", typed("Buffer", "[1.5]"),
	"Buffer of a string", typed("Buffer", `"AQID"`),
	"ArrayBuffer", typed("ArrayBuffer", "[1,2,3]"),
	"DataView", typed("DataView", "[1,2,3]"),
	"custom type", typed("Point", `{"x":1,"y":`+typed("Date", "0")+`}`),
	"custom types in a Map", typed("Map", `[[`+typed("Point", `{"x":1,"y":2}`)+`,[`+typed("Point", `{"x":3,"y":4}`)+`]]]`),
	"custom type of null", typed("Point", "null"),
	"unknown type", typed("Unknown", "1"),
	"type in another case", typed("date", "0"),
	"type of no name", typed("", "0"),
	"type of a prototype's name", typed("constructor", "0"),
	"type and more", `{"a":1,"value":0,"__type":"Date"}`,
	"type without a value", `{"__type":"Date"}`,
	"type that is no string", `{"__type":null,"value":0}`,
	"value twice", `{"__type":"Date","value":0,"value":1000}`,
	"escaped type", `{"$runner.escape::__type":"Date","value":0}`,
	"escaped escape", `{"$runner.escape::$runner.escape::a":1}`,
	"escaped name of a prototype", `{"$runner.escape::__proto__":{"a":1},"$runner.escape::constructor":1}`,
	"names of a prototype", `{"a":1,"__proto__":{"b":2},"constructor":3,"prototype":4}`,
	"graph inside", `{"__graph":true,"version":1,"root":{"__ref":"n0"},"nodes":{"n0":{"kind":"object","value":{}}}}`,
	"reference", `{"__ref":"n0"}`,
	"file", `{"$runnerFile":"File","id":"F1","meta":{"name":"a"}}`,
	"lone surrogate", `"\ud800"`,
	"characters of all lengths", `{"aé日😀":"aé日😀\u2028"}`,
	"names that are integers", `{"b":1,"2":2,"1":3}`,
	"depth of 999", nestedArrays(999),
	"depth of 1000", nestedArrays(1000),
	"types in depth", strings.Repeat(`{"__type":"Set","value":[`, 300) + strings.Repeat("]}", 300),
	"types in too much depth", strings.Repeat(`{"__type":"Set","value":[`, 600) + strings.Repeat("]}", 600),
}, arrayValues())

func arrayValues() (pairs []string) {
	for _, name := range []string{
		"Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array",
		"Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array",
	} {
		pairs = append(pairs, name, typed(name, "[1,2,3,4,5,6,7,255]"))
	}
	return append(pairs, "array of a part of an element", typed("Int32Array", "[1,2,3]"))
}

// valueCases returns one case for each pair of a name and a value, with the value in %.
func valueCases(target, body string, pairs ...string) (cases []exchange) {
	for i := 0; i < len(pairs); i += 2 {
		cases = append(cases, exchange{name: pairs[i], raw: rawPost(target, strings.ReplaceAll(body, "%", pairs[i+1]))})
	}
	return cases
}

var runnerValueGroups = []serverPair{
	// Here the process that has received a value describes it.
	{
		name: "value as the task sees it", app: testapp.FullApp, runnerOnly: true,
		cases: valueCases(describeTarget, `{"input":%}`, sentValues...),
	},
	{
		name: "value as a hook sees it", app: testapp.FullApp, runnerOnly: true,
		cases: valueCases(describeEventTarget, `{"payload":{"value":%},"returnPayload":true}`, sentValues...),
	},
	// And here it sends the value back.
	{
		name: "value of an event", app: testapp.FullApp, runnerOnly: true,
		cases: valueCases(changeEventTarget, `{"payload":%,"returnPayload":true}`, sentValues...),
	},
	{
		name: "bare value", app: testapp.FullApp, runnerOnly: true,
		cases: valueCases(describeTarget, `%`, sentValues...),
	},
	{name: "body", app: testapp.FullApp, runnerOnly: true, cases: slices.Concat(
		bodyCases(describeTarget,
			"Date beside input", `{"__type":"Date","value":0,"input":1}`,
			"type without a value beside input", `{"__type":"Date","input":1}`,
			"unknown type beside input", `{"a":`+typed("Unknown", "1")+`,"input":1}`,
			"unsafe RegExp beside input", `{"input":1,"a":`+typed("RegExp", `{"pattern":"(a+)+","flags":""}`)+`}`,
			"Map with input", typed("Map", `[["input",1]]`),
			"custom type with input", typed("Point", `{"x":1,"y":2}`),
			"escaped input", `{"$runner.escape::input":1}`,
			"escaped input and input", `{"$runner.escape::input":1,"input":2}`,
			"input of a prototype", `{"__proto__":{"input":1},"a":2}`,
			"input twice, the first bad", `{"input":`+typed("Unknown", "1")+`,"input":1}`,
			"input twice, the second bad", `{"input":1,"input":`+typed("Unknown", "1")+`}`,
			"graph", graphOf(`{"__ref":"n0"}`, `"n0":{"kind":"object","value":{"input":{"__ref":"n1"}}},"n1":{"kind":"array","value":[{"__ref":"n1"},{"__ref":"n2"}]},"n2":{"kind":"type","type":"Date","value":0}`),
			"graph without input", graphOf(`{"__ref":"n0"}`, `"n0":{"kind":"array","value":[1,{"__ref":"n0"}]}`),
			"graph of a bad reference", graphOf(`{"__ref":"n9"}`, `"n0":{"kind":"object","value":{}}`),
			"graph and input", `{"__graph":true,"root":1,"nodes":{},"input":2}`,
			"graph that is none", `{"__graph":true,"input":2}`,
		),
		valueCases(changeEventTarget, `{"payload":1,"returnPayload":%}`,
			"returnPayload of NaN", typed("NonFiniteNumber", `"NaN"`),
			"returnPayload of 0n", typed("BigInt", `"0"`),
			"returnPayload of 1n", typed("BigInt", `"1"`),
			"returnPayload of a Date", typed("Date", "0"),
			"returnPayload of an unknown type", typed("Unknown", "0"),
		),
		bodyCases(changeEventTarget,
			"event: Date beside payload", `{"__type":"Date","value":0,"payload":1,"returnPayload":true}`,
			"event: unknown type beside payload", `{"a":`+typed("Unknown", "1")+`,"payload":1,"returnPayload":true}`,
			"event: escaped payload", `{"$runner.escape::payload":1,"returnPayload":true}`,
			"event: escaped returnPayload", `{"payload":1,"$runner.escape::returnPayload":true}`,
			"event: graph", graphOf(`{"__ref":"n0"}`, `"n0":{"kind":"object","value":{"payload":1,"returnPayload":true}}`),
			"event: bad value", `{"payload":`+typed("Unknown", "1")+`}`,
			"event: bad value of a bare body", typed("Unknown", "1"),
		),
	)},
}

func graphOf(root, nodes string) string {
	return `{"__graph":true,"version":1,"root":` + root + `,"nodes":{` + nodes + `}}`
}

// jsonOf returns text as a JSON string.
func jsonOf(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always is
	}
	return string(quoted)
}
