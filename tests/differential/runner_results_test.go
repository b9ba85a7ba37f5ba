package differential_test

import "github.com/bluelibs/go-tunnel/tests/testapp"

// namedCases returns one case for each name, as the input or payload.
func namedCases(target, body string, names ...string) (cases []exchange) {
	pairs := make([]string, 0, 2*len(names))
	for _, name := range names {
		pairs = append(pairs, name, jsonOf(name))
	}
	return valueCases(target, body, pairs...)
}

// returnedValues are names of values in testdata/runner/values.js.
var returnedValues = []string{
	"undefined", "null", "NaN", "Infinity", "-Infinity", "minus zero", "small number", "large number", "bigint",
	"members without a value", "sparse array", "array with a name",
	"date", "date before all", "invalid date", "regexp", "unsafe regexp",
	"map", "map in an object", "set", "Symbol.for", "well-known symbol", "unique symbol", "symbol as a name",
	"error", "error with a cause", "error with a cause that is none", "error with fields", "error without a stack", "several errors",
	"URL", "URLSearchParams", "buffer", "empty buffer", "part of a buffer", "array buffer", "data view",
	"Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array",
	"Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array", "shared buffer",
	"point", "point in a map", "class with toJSON", "no prototype", "getter", "getter that throws", "boxed",
	"function", "function inside", "class", "cycle", "cycle in a map", "shared object", "promise", "weak map", "generator",
	"pipe that is no function", "stream that is none", "web stream",
	"names of the serializer", "names of a prototype", "names that are numbers", "odd names", "text", "long text",
	"depth of 900", "depth of 998", "depth of 999", "depth of 1000", "depth of 5000", "arguments",
	"not there",
}

var runnerResultGroups = []serverPair{
	{
		name: "result", app: testapp.FullApp, runnerOnly: true,
		cases: namedCases("/__runner/task/full.tasks.value", `{"input":%}`, returnedValues...),
	},
	{
		name: "payload that a hook has changed", app: testapp.FullApp, runnerOnly: true,
		cases: namedCases(changeEventTarget, `{"payload":{"to":%},"returnPayload":true}`, returnedValues...),
	},
	{
		name: "payload that nobody wants back", app: testapp.FullApp, runnerOnly: true,
		cases: namedCases(changeEventTarget, `{"payload":{"to":%}}`, "map", "function", "cycle", "depth of 5000"),
	},
}
