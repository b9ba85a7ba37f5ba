"use strict";

// Documents that the real serializers do not write, but read or refuse.

const typed = (type, value) => JSON.stringify({ __type: type, value });
const graph = (root, nodes, more) => JSON.stringify({ __graph: true, version: 1, root, nodes, ...more });
const ref = (id) => ({ __ref: id });
const nested = (depth, inner = "0") => "[".repeat(depth) + inner + "]".repeat(depth);
const regexp = (pattern, flags = "") => typed("RegExp", { pattern, flags });

const chain = (nodes) => graph(ref("0"), Array.from({ length: nodes }, (_, i) => ({ kind: "array", value: i + 1 < nodes ? [ref(`${i + 1}`)] : [] })));

const ofSerializer = [
  // JSON itself
  "", " ", "{", "nul", "[1,]", "{\"a\":1,}", "'a'", "NaN", "1 2", "\ufeff1", "01", "\"\t\"",
  " \t\r\n1 ", "1.0", "-0", "1e400", "-1e400", "1E+2", "9007199254740993", "\"\\u0041\\/\"", "{\"a\":1,\"a\":2}",
  "{\"a\":{\"b\":1},\"a\":{\"c\":2}}", nested(1000), nested(1001), nested(999, "{\"a\":1}"), nested(1000, "{\"a\":1}"),
  // names
  '{"__proto__":1,"a":2}', '{"constructor":{"x":1},"prototype":[],"a":{"__proto__":null}}', '{"\\u005f_proto__":1}',
  '{"$runner.escape::__proto__":1,"b":2}', '{"$runner.escape::a":1}', '{"__type":"Date"}', '{"__type":null,"value":1}',
  '{"__graph":true}', '{"a":{"__graph":true,"root":1,"nodes":{}}}', '{"__ref":"x"}', '{"$runner.escape::__type":"Date","value":"x"}',
  // records
  typed("Nothing", 1), typed("", 1), typed("date", 0), '{"value":"2024-01-02","__type":"Date","more":[1]}', '{"\\u005f_type":"Date","value":0}',
  '{"__type":"Undefined","value":{"a":1}}', typed("NonFiniteNumber", "nan"), typed("NonFiniteNumber", 1), typed("NonFiniteNumber", null),
  typed("BigInt", " +5\n"), typed("BigInt", "-0"), typed("BigInt", "007"), typed("BigInt", 5), typed("BigInt", ""), typed("BigInt", "+"),
  typed("BigInt", "0x10"), typed("BigInt", "1n"), typed("BigInt", "1 2"), typed("BigInt", "+-1"), typed("BigInt", "\ufeff1\u00a0"),
  // dates
  typed("Date", 0), typed("Date", 1.9), typed("Date", -1.9), typed("Date", 8.64e15), typed("Date", null), typed("Date", "2024"),
  typed("Date", "2024-02"), typed("Date", "2024-02-29"), typed("Date", "2024-01-02T03:04Z"), typed("Date", "2024-01-02T03:04:05Z"),
  typed("Date", "2024-01-02T03:04:05.6789+02:30"), typed("Date", "2024-01-02T03:04-23:59"), typed("Date", "+012345-01-01T00:00Z"),
  typed("Date", "-000001-01-01"),
  // regular expressions
  regexp("(a+)b"), regexp("(?:a+)b"), regexp("(a|b)+"), regexp("[(a+)+]"), regexp("\\(a+\\)+"), regexp("a", "gimsuyd"), regexp("x{2}y{3,}?z{1,2}"),
  regexp("\\k<n>(?<n>x)"), regexp("\\cA\\x41\\u0041\\0"), regexp("{}]"), regexp("a".repeat(1024)), regexp("[\\d-x]"), regexp("[\\b\\-]"),
  regexp("(?=a)*"), regexp("^a|b$", "v"), regexp("\\p{L}", "v"), regexp("\\1"), regexp("/\n"),
  regexp("(a+)+"), regexp("(a+)?"), regexp("(a{1,2}){3}"), regexp("(a|ab)+"), regexp("(|a)+"), regexp("((a+)b)*"), regexp("(?:x|xy)*"),
  regexp("a".repeat(1025)), regexp("a", "gg"), regexp("a", "x"), regexp("a", "uv"), regexp("("), regexp(")"), regexp("["), regexp("*"), regexp("a**"),
  regexp("\\"), regexp("[b-a]"), regexp("a{2,1}"), regexp("(?<n>a)(?<n>b)"), regexp("(?<1>a)"), regexp("(?<n>)\\k<m>"), regexp("\\-", "u"), regexp("]", "u"),
  regexp("\\p{Nothing}", "u"), regexp("\\u{110000}", "u"), regexp("\\1", "u"), regexp("(?<=a)*"), regexp("[😀-😂]"), regexp("{1}"), regexp("(?"),
  regexp("[\\d-x]", "u"), typed("RegExp", { pattern: "a" }), typed("RegExp", { pattern: 1, flags: "" }), typed("RegExp", "a"), typed("RegExp", null),
  // symbols, maps and sets
  typed("Symbol", { kind: "For" }), typed("Symbol", { kind: "WellKnown", key: "nothing" }), typed("Symbol", { kind: "WellKnown", key: "observable" }),
  typed("Symbol", { kind: "Other", key: "x" }), typed("Symbol", "x"), typed("Symbol", null),
  typed("Map", null), typed("Map", [["a", 1], ["b", 2], ["a", 3]]), typed("Map", [[0, 1], [-0, 2]]), typed("Map", [["a"], []]), typed("Map", [["a", 1, 2]]),
  typed("Map", [1]), typed("Map", [null]), typed("Map", 5), typed("Map", {}), typed("Map", "ab"),
  '{"__type":"Map","value":[[{"__type":"NonFiniteNumber","value":"NaN"},1],[{"__type":"NonFiniteNumber","value":"NaN"},2]]}',
  '{"__type":"Map","value":{"__type":"Undefined","value":0}}',
  typed("Set", null), typed("Set", [1, 1, "1", true, true, null, null]), typed("Set", "aba"), typed("Set", [{}, {}]), typed("Set", 5), typed("Set", { a: 1 }),
  '{"__type":"Set","value":[{"__type":"BigInt","value":"1"},{"__type":"BigInt","value":"+1"},1]}',
  // errors
  typed("Error", { name: "E", message: "m", stack: "s" }), typed("Error", { name: "E", message: "m", stack: "s", customFields: { toString: 1, name: 2, ok: 3 } }),
  typed("Error", { name: "E", message: "m", stack: "s", cause: [1], more: 1 }), typed("Error", { name: "E" }), typed("Error", { message: "m" }),
  typed("Error", { name: 1, message: "m" }), typed("Error", { name: "E", message: "m", stack: null }), typed("Error", { name: "E", message: "m", stack: "s", customFields: [] }),
  typed("Error", { name: "E", message: "m", stack: "s", customFields: null }), typed("Error", null), typed("Error", "x"),
  // URLs
  typed("URL", "HTTP://EXAMPLE.com"), typed("URL", "http://h"), typed("URL", "x:y"), typed("URL", "https://h:443/"), typed("URL", "http://1.2.3.4"), typed("URL", "x://"),
  typed("URL", ""), typed("URL", "/a"), typed("URL", "a"), typed("URL", "http://"), typed("URL", "http:///"), typed("URL", "http://a b/"), typed("URL", "http://h:99999/"), typed("URL", "http://[::1"),
  typed("URL", "http://h%00/"), typed("URL", "http://1.2.3.256/"), typed("URL", "//h/"), typed("URL", "http://u@/"), typed("URL", 5), typed("URL", null),
  typed("URLSearchParams", "?a=1&&b"), typed("URLSearchParams", ""), typed("URLSearchParams", 5), typed("URLSearchParams", []),
  // binary data
  typed("Buffer", [0, 255]), typed("Buffer", [256]), typed("Buffer", [-1]), typed("Buffer", [1.5]), typed("Buffer", ["1"]), typed("Buffer", "AAAA"), typed("Buffer", null),
  '{"__type":"Buffer","value":[1.0,2e0]}', '{"__type":"Buffer","value":[{"__type":"BigInt","value":"1"}]}',
  typed("Int16Array", [1]), typed("Int16Array", [1, 2]), typed("Float64Array", [1, 2, 3, 4]), typed("BigInt64Array", [0, 0, 0, 0, 0, 0, 0, 1]), typed("Int7Array", []),
  // graphs
  graph(5, {}), graph({ a: 1 }, {}), graph(ref("a"), { a: { kind: "object", value: { b: ref("b") } }, b: { kind: "array", value: [1, { __type: "Date", value: 0 }] } }),
  graph([ref("a"), ref("a")], { a: { kind: "array", value: [] } }), graph(ref("m"), { m: { kind: "type", type: "Map", value: [["k", ref("o")]] }, o: { kind: "object", value: {} } }),
  graph(ref("s"), { s: { kind: "type", type: "Set", value: ref("l") }, l: { kind: "array", value: [ref("o"), ref("o"), ref("p")] }, o: { kind: "object", value: {} }, p: { kind: "object", value: {} } }),
  graph(ref("0"), [{ kind: "array", value: [1] }]), graph({ "$runner.escape::a": 1, __graph: true }, {}), graph(ref("a"), { a: { kind: "object", value: { __type: "Date", value: 0 } } }),
  graph(ref("e"), { e: { kind: "type", type: "Error", value: { name: "E", message: "m", stack: "s", customFields: {} } } }, { version: 7 }),
  graph({ a: { __graph: true, root: 1, nodes: {} }, __proto: 1 }, {}), '{"__graph":true,"root":1}', '{"__graph":1,"root":1,"nodes":{}}', '{"__graph":true,"nodes":{}}', '{"__graph":true,"root":1,"nodes":null}',
  graph(ref("a"), {}), graph({ __ref: 1 }, {}), graph({ __ref: "a", b: 1 }, { a: { kind: "array", value: [] } }), graph(ref("a"), { a: null }), graph(ref("a"), { a: { kind: "array", value: {} } }),
  graph(ref("a"), { a: { kind: "object", value: [] } }), graph(ref("a"), { a: { kind: "thing", value: 1 } }), graph(ref("a"), { a: { kind: "type", type: "Nothing", value: 1 } }),
  chain(500), chain(501),
  graph(ref("constructor"), { constructor: { kind: "array", value: [] } }),
];

const ofEJSON = [
  "", "{", "1 2", "\ufeff1", "[1,]", " 1 ", "1e400", "{\"a\":1,\"a\":2}", '{"__proto__":{"a":1},"b":2}', '{"\\u0024date":5}',
  '{"$date":0}', '{"$date":1.9}', '{"$date":null}', '{"$date":"2024-01-02"}', '{"$date":0,"$x":1}', '{"$date":0,"x":1}', '{"a":{"$date":5}}', '[{"$date":5}]',
  '{"$date":{"$date":5}}', '{"$regexp":"a","$flags":"gg"}', '{"$regexp":"a","$flags":"gsdvx"}', '{"$flags":"i","$regexp":"(a+)+"}', '{"$regexp":"a"}', '{"$regexp":"(","$flags":""}',
  '{"$regexp":"a","$flags":1}', '{"$regexp":"a","$flags":null}', '{"$InfNaN":0}', '{"$InfNaN":1}', '{"$InfNaN":-1}', '{"$InfNaN":5}',
  '{"$escape":{"$date":5}}', '{"$escape":{"a":{"$date":5},"b":[{"$InfNaN":1}]}}', '{"$escape":{"$escape":{"$date":5}}}', '{"$escape":{}}', '{"$escape":null}', '{"$escape":{"$date":{"$escape":{"$date":1}}}}',
  '{"$type":"Nothing","$value":1}', '{"$type":"Point","$value":{"x":1,"y":2}}', '{"$type":"Point"}', '{"$value":1}', '{"a":{"$type":"Nothing","$value":1}}',
  '{"$objectId":"0123456789abcdef01234567"}', '{"$objectId":"0123456789ABCDEF01234567"}', '{"$objectId":"x"}', '{"$objectId":null}', '{"$objectId":5}',
  '{"$":1}', '{"$a":1,"$b":2}', "{}", '{"$ejson":"File","id":"F1"}',
];

module.exports = { ofSerializer, ofEJSON };
