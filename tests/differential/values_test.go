package differential_test

const asTheyCame = "standalone ipc" // the executors that have no serializer

// What follows from passing values on as they came, where Runner decodes and encodes
// them. JSON.parse and JSON.stringify are the worker's as much as Runner's, so that
// numbers, blanks and names mostly come out of the worker as out of Runner; a Go task
// that returns its input shows that nothing here touches it. A Runner application as a
// worker has the serializer itself: see runnerDifferences.
var valueDifferences = []difference{
	echoDiffers("standalone", "a number keeps its spelling", "JSON/number with a fraction of zero", "1", "1.0"),
	echoDiffers("standalone", "a number keeps its spelling", "JSON/number with an exponent", "1000", "1e3"),
	echoDiffers("standalone", "a number keeps its spelling", "JSON/minus zero", "0", "-0"),
	echoDiffers("standalone", "a number is not rounded", "JSON/number that is rounded", "9007199254740992", "9007199254740993"),
	echoDiffers("standalone", "blanks stay", "JSON/blanks inside", `{"a":[1,2]}`, `{"a": [1, 2]}`),
	echoDiffers("standalone", "a string keeps its spelling", "JSON/escapes that need not be", `"A/"`, `"\u0041\/"`),
	echoDiffers("standalone", "members keep their order", "JSON/names that are integers", `{"1":3,"2":2,"b":1}`, `{"b":1,"2":2,"1":3}`),
	echoDiffers("standalone", "members that stand twice stay", "input/name twice inside", `{"a":2}`, `{"a":1,"a":2}`),
	echoDiffers(asTheyCame, "an event's payload that no handler changed is the one that was sent",
		"events/returned, number with a fraction of zero", "1", "1.0"),

	// The Runner serializer.
	echoDiffers("standalone", "a number beyond all keeps its spelling", "JSON/number beyond all",
		`{"__type":"NonFiniteNumber","value":"Infinity"}`, "1e400"),
	echoDiffers("ipc", "JSON.stringify writes Infinity as null", "JSON/number beyond all",
		`{"__type":"NonFiniteNumber","value":"Infinity"}`, "null"),
	echoDiffers(asTheyCame, "names that only the serializer reserves are not escaped", "input/Undefined without a value",
		`{"$runner.escape::__type":"Undefined"}`, `{"__type":"Undefined"}`),
	echoDiffers(asTheyCame, "names that only the serializer reserves are not escaped", "input/type that is no string",
		`{"$runner.escape::__type":1,"value":2}`, `{"__type":1,"value":2}`),
	echoDiffers("standalone", "Undefined is known where it is spelled as clients spell it", "input/Undefined with escapes",
		`{"__type":"Undefined","value":null}`, `{"__type":"Undef\u0069ned","value":null}`),
	echoDiffers(asTheyCame, "names of a prototype are members like others: only the serializer drops them", "input/names of a prototype",
		`{"a":1}`, `{"a":1,"__proto__":{"b":2},"constructor":3,"prototype":4}`),
	echoDiffers(asTheyCame, "names of a prototype are members like others: only the serializer drops them", "input/name of a prototype at the root",
		`{}`, `{"__proto__":{"input":1}}`),
	{
		reason:   "the serializer counts the envelope into a result's depth; here a result may be as deep as a body",
		executor: asTheyCame,
		what:     []string{"status: 500, ours: 200", bodyDiffers(internalAnswer, `{"ok":true,"result":`+nestedArrays(1001)+`}`)},
		cases:    []string{"JSON/depth of 1000 as the root"},
	},

	{
		reason: "goccy/go-json escapes U+2028: the same string, spelled in another way",
		what: []string{bodyDiffers(errorAnswer("FORBIDDEN", "Task <script>&\u2028 not exposed"),
			errorAnswer("FORBIDDEN", `Task <script>&\u2028 not exposed`))},
		cases: []string{"routing/POST /__runner/task/%3Cscript%3E%26%E2%80%A8"},
	},

	// What a plain worker is not told.
	{
		reason:   "a plain worker is not told that the payload is wanted back, so it cannot refuse that",
		executor: "ipc",
		what: []string{
			"status: 400, ours: 200",
			bodyDiffers(errorAnswer("PARALLEL_EVENT_RETURN_UNSUPPORTED",
				"Event app.events.parallel is marked parallel; returning a payload is not supported."), `{"ok":true,"result":1}`),
		},
		cases: []string{"events/parallel, returned"},
	},
	{
		reason:   "a plain worker is not told the request id",
		executor: "ipc",
		what: []string{
			"status: 200, ours: 404",
			bodyDiffers(`{"ok":true,"result":"a"}`, errorAnswer("NOT_FOUND", "Task app.tasks.requestId not found")),
		},
		cases: []string{"request id/as the task sees it"},
	},
	{
		reason:   "the same, where the request id is new",
		executor: "ipc",
		what: []string{
			"status: 200, ours: 404",
			bodyDiffers(`{"ok":true,"result":"`+newID+`"}`, errorAnswer("NOT_FOUND", "Task app.tasks.requestId not found")),
		},
		cases: []string{"request id/as the task sees a bad one"},
	},

	// What a typed Go task makes of an input.
	{
		reason:   "a typed Go task refuses an input that does not fit",
		executor: "standalone",
		what: []string{
			"status: 200, ours: 400",
			bodyDiffers(`{"ok":true,"result":"x1"}`, errorAnswer("INVALID_INPUT", "Invalid input: unexpected string at a")),
		},
		cases: []string{"errors/input of another type"},
	},
	echoDiffers("standalone", "a typed Go task has zero values for what is not there", "errors/input without a member",
		`"Hello, undefined!"`, `"Hello, !"`),
	{
		reason:   "a typed Go task has a zero value for an input that is not there",
		executor: "standalone",
		what:     []string{"status: 500, ours: 200", bodyDiffers(internalAnswer, `{"ok":true,"result":0}`)},
		cases:    []string{"errors/no input where one is needed"},
	},
}

// echoed is a difference in nothing but the result.
func echoDiffers(executor, reason, name, theirs, ours string) difference {
	return difference{
		reason:   reason,
		executor: executor,
		what:     []string{bodyDiffers(`{"ok":true,"result":`+theirs+`}`, `{"ok":true,"result":`+ours+`}`)},
		cases:    []string{name},
	}
}
