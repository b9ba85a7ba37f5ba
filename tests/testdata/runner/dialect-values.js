"use strict";

// The values that the dialects of JSON are tested with, each under a name. They travel through the real serializers
// and through Go, and must come back deeply equal.

const { Point } = require("./values");

// Without the path of a file.
function error(value, stack = "Error: as\n    it was") {
  return Object.defineProperty(value, "stack", { value: stack, writable: true, configurable: true, enumerable: false });
}

const bytes = [0, 1, 2, 127, 128, 200, 254, 255];
const buffer = () => Uint8Array.from(bytes).buffer;

const plain = {
  null: null,
  true: true,
  false: false,
  zero: 0,
  one: 1,
  negative: -17,
  fraction: 0.1,
  "small fraction": 1e-7,
  "smallest fraction": 5e-324,
  "six places": 0.000001,
  "large integer": 2 ** 53,
  "larger integer": 123456789012345680000,
  "exponent 21": 1e21,
  "exponent 300": -1.5e300,
  "largest number": Number.MAX_VALUE,
  "a third": 1 / 3,
  "empty string": "",
  string: "hello",
  "unicode string": "ключ čeština 日本語 😀",
  "escaped string": "\"\\/\b\f\n\r\t\u0000\u001f\u007f",
  "html string": "<a href='x'>&amp;</a>",
  "line separators": "\u2028\u2029",
  "a string like a date": "2024-01-02T03:04:05.678Z",
  "a string like a key": "__type",
  "a long string": "0123456789ž".repeat(2000),
  "empty object": {},
  "empty array": [],
  array: [1, "two", null, false],
  "nested arrays": [[], [[]], [[[1]]]],
  "nested objects": { a: { b: { c: { d: [] } } } },
  "keys like numbers": { b: 1, 2: 2, 10: 3, 1: 4 },
  "an empty key": { "": 1 },
  "unicode keys": { ключ: 1, "😀": 2, "a\nb": 3, 'q"': 4 },
  "a record": { id: 7, name: "Ada", tags: ["x", "y"], active: true, address: { city: "Prague", zip: null } },
  records: Array.from({ length: 50 }, (_, i) => ({ i, text: `row ${i}`, half: i / 2 })),
  "nested 200 deep": Array.from({ length: 200 }).reduce((inner) => [inner], 0),
  "own input": { input: { input: 1 } },
};

// As literals: what 10 ** n is depends on the version of V8.
const decimals = [
  1.23456789e-10, 1.23456789e-8, 0.00000123456789, 0.000123456789, 0.012345678899999999, 0.0123456789,
  1.2345678900000001, 123.456789, 12345.6789, 1234567.89, 123456789, 12345678900, 1234567890000, 123456789000000,
  12345678900000000, 1234567890000000000, 123456789000000000000, 1.23456789e22, 1.2345678900000001e24, 1.23456789e26,
  1.23456789e28, 1.2345678900000001e28,
];
for (const decimal of decimals) plain[`the decimal ${decimal}`] = decimal;
for (const text of ["$", "$date", "{}", "null", "\\u0041", "%20", "\u00ff\u0100\u07ff\u0800\uffff", "\u{10000}\u{10ffff}"]) {
  plain[`string ${JSON.stringify(text)}`] = text;
  plain[`key ${JSON.stringify(text)}`] = { [text]: [text], more: 1, and: 2 };
}

const dates = {
  ...Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`date in month ${i + 1}`, new Date(Date.UTC(1999 + i * 40, i, 28 + (i % 2), i, i * 5, i, i * 83))])),
  date: new Date("2024-01-02T03:04:05.678Z"),
  "date of 1970": new Date(0),
  "date before 1970": new Date(-1),
  "date of the year 0": new Date("0000-01-01T00:00:00.000Z"),
  "date before the year 0": new Date("-000001-12-31T23:59:59.999Z"),
  "date after the year 9999": new Date("+012345-06-07T08:09:10.011Z"),
  "first date": new Date(-8.64e15),
  "last date": new Date(8.64e15),
  "date in an object": { at: new Date(1e12), by: "x" },
  "dates in an array": [new Date(1), new Date(2)],
};

const regexps = {
  regexp: /ab+c/gi,
  "empty regexp": new RegExp(""),
  "regexp with a slash": /a\/b/,
  "regexp with classes": /^[\w.+-]+@[\w-]+\.[a-z]{2,}$/i,
  "regexp with groups": /(?<year>\d{4})-(?<month>\d\d)\k<year>/u,
  "regexp with lookaround": /(?<=a)b(?!c)/m,
  "regexp with unicode": /\u{1F600}\p{L}\p{Script=Greek}/u,
  "regexp with unicode text": /日本|😀/,
  "regexp with braces": /a{2,3}b{4}c{5,}{x}/,
  "regexp with alternatives": /(a|b)+|c/y,
};

const numbers = {
  NaN: NaN,
  Infinity: Infinity,
  "-Infinity": -Infinity,
  "not finite in an object": { a: NaN, b: [Infinity, { c: -Infinity }] },
};

const ofSerializer = {
  ...plain,
  ...dates,
  ...regexps,
  ...numbers,
  undefined: undefined,
  "undefined in an object": { a: undefined, b: 1 },
  "undefined in an array": [undefined, 1, undefined],
  "holes in an array": [, 1, ,], // which come back as undefined
  "regexp with indices": /a/dgimsuy,
  "regexp of sets": /[a-z]/v,
  "bigint zero": 0n,
  bigint: 123n,
  "negative bigint": -123n,
  "large bigint": 2n ** 200n,
  "bigint of int64": -(2n ** 63n),
  "bigint of uint64": 2n ** 64n - 1n,
  "bigint of 9000 digits": 10n ** 8999n,
  "bigints in an object": { a: [1n, 2n] },
  "symbol for a key": Symbol.for("app.key"),
  "symbol for nothing": Symbol.for(""),
  "symbol in an object": { s: Symbol.for("x"), t: [Symbol.iterator] },
  ...Object.fromEntries(
    ["asyncIterator", "hasInstance", "isConcatSpreadable", "iterator", "match", "matchAll", "replace"]
      .concat(["search", "species", "split", "toPrimitive", "toStringTag", "unscopables"])
      .map((key) => [`symbol ${key}`, Symbol[key]]),
  ),
  "empty map": new Map(),
  map: new Map([["a", 1], ["b", 2]]),
  "map with keys of all kinds": new Map([
    [1, "number"], ["1", "string"], [true, "boolean"], [null, "null"], [undefined, "undefined"], [NaN, "NaN"],
    [1n, "bigint"], [Symbol.for("k"), "symbol"],
  ]),
  "map with object keys": new Map([[{ a: 1 }, { b: 2 }], [new Date(3), new Date(4)]]),
  "map of maps": new Map([["in", new Map([["ner", new Map()]])]]),
  "map with undefined": new Map([["a", undefined]]),
  "map with unsafe keys": new Map([["__proto__", 1], ["constructor", 2]]),
  "map with marker keys": new Map([["__type", 1], ["$runner.escape::x", 2]]),
  "map in an object": { m: new Map([["k", [1, 2]]]) },
  "empty set": new Set(),
  set: new Set([1, 2, 3]),
  "set of strings": new Set(["b", "a"]),
  "set of all kinds": new Set([1, "1", null, undefined, NaN, 1n, true, new Date(5)]),
  "set of sets": new Set([new Set([1]), new Set([1])]),
  "set of objects": new Set([{ a: 1 }, { a: 1 }]),
  "set in an array": [new Set(["x"])],
  error: error(new Error("broken")),
  "type error": error(new TypeError("wrong type")),
  "range error": error(new RangeError("out of range"), "RangeError: out of range"),
  "error without a message": error(new Error()),
  "error with a cause": error(new Error("outer", { cause: error(new Error("inner")) })),
  "error caused by a string": error(new Error("outer", { cause: "text" })),
  "error caused by undefined": error(new Error("outer", { cause: undefined })),
  "error with fields": error(Object.assign(new Error("fields"), { code: "E_X", status: 418, at: new Date(6) })),
  "error with its own name": error(Object.assign(new Error("named"), { name: "AppError" })),
  "error in an object": { e: error(new Error("inside")) },
  url: new URL("https://user:pass@example.com:8080/a/b?x=1&y=%20#frag"),
  "url of a host": new URL("http://localhost"),
  "url of an IPv4 host": new URL("http://127.0.0.1:3000/"),
  "url of an IPv6 host": new URL("http://[::1]:3000/x"),
  "url of a domain in other letters": new URL("https://příklad.cz/ž"),
  "url of a file": new URL("file:///etc/hosts"),
  "url of data": new URL("data:text/plain,hi"),
  "url of mail": new URL("mailto:ada@example.com"),
  "url of a database": new URL("postgres://u:p@db.internal:5432/app?sslmode=disable"),
  "urls in an array": [new URL("ws://h/"), new URL("ftp://h/x")],
  "search params": new URLSearchParams("a=1&b=2&a=3"),
  "no search params": new URLSearchParams(),
  "search params in other letters": new URLSearchParams({ "klíč": "a b&c", e: "" }),
  buffer: Buffer.from(bytes),
  "empty buffer": Buffer.alloc(0),
  "large buffer": Buffer.from(Array.from({ length: 4096 }, (_, i) => i & 255)),
  "buffer in an object": { data: Buffer.from("hello"), name: "x" },
  "array buffer": buffer(),
  "empty array buffer": new ArrayBuffer(0),
  "data view": new DataView(buffer()),
  Int8Array: new Int8Array(buffer()),
  Uint8Array: new Uint8Array(buffer()),
  "empty Uint8Array": new Uint8Array(),
  Uint8ClampedArray: new Uint8ClampedArray(buffer()),
  Int16Array: Int16Array.from([-2, 0, 300]),
  Uint16Array: Uint16Array.from([1, 65535]),
  Int32Array: Int32Array.from([-1, 2 ** 30]),
  Uint32Array: Uint32Array.from([1, 2 ** 32 - 1]),
  Float32Array: Float32Array.from([0.5, -1.25, NaN]),
  Float64Array: Float64Array.from([Math.PI, -0, Infinity]),
  BigInt64Array: BigInt64Array.from([-1n, 2n ** 62n]),
  BigUint64Array: BigUint64Array.from([0n, 2n ** 64n - 1n]),
  "part of an array buffer": new Uint8Array(buffer(), 2, 3),
  "typed arrays in a map": new Map([["a", new Int16Array([1])], ["b", new Float32Array([2])]]),
  "key __type": { __type: "Date" },
  "keys __type and value": { __type: "Date", value: "2024-01-01" },
  "key __type that is no string": { __type: 5, value: 1 },
  "key __graph": { __graph: true, root: 1, nodes: {} },
  "key with the escape": { "$runner.escape::": 1, "$runner.escape::__type": 2, "$runner.escape::$runner.escape::x": 3 },
  "key __ref": { __ref: "obj_1" },
  "markers deep inside": [{ a: { __type: "x", value: { __graph: 1 } } }],
  "keys like unsafe ones": { __proto: 1, proto__: 2, Constructor: 3 },
  "everything at once": {
    at: new Date(7), n: 8n, m: new Map([[new Set([1]), /x/]]), u: undefined, b: Buffer.from([9]), f: NaN,
    e: error(new Error("e")), l: new URL("http://h/"), list: [Symbol.for("s"), { __type: 1 }],
  },
  "custom type": new Point(1, -2.5),
  "custom types in a map": new Map([["p", new Point(0, 0)]]),
  "custom type with a date": new Point(new Date(8), 3n),
};

// EJSON leaves out undefined, and what it does with Map, Set, Error and bigint is of no use to anybody.
const ofEJSON = {
  ...plain,
  ...dates,
  ...regexps,
  ...numbers,
  "like a date": { $date: 5 },
  "like a date with more": { $date: 5, x: 1 },
  "like a regexp": { $regexp: "a", $flags: "g" },
  "like half a regexp": { $regexp: "a" },
  "like NaN": { $InfNaN: 0 },
  "like binary": { $binary: "AAAA" },
  "like a custom type": { $type: "x", $value: 1 },
  "like an object id": { $objectId: "x" },
  "like an escape": { $escape: { $date: 1 } },
  "like an escaped escape": { $escape: { $escape: { $escape: 5 } } },
  "like a date around a date": { $date: { $date: new Date(9) } },
  "dollars": { $: 1, $a: 2, "$b.c": 3 },
  "a file sentinel": { $ejson: "File", id: "F1", meta: { name: "a.txt" } },
  "markers deep inside": [{ a: [{ $date: [{ $InfNaN: NaN }] }] }],
  "all at once": { at: new Date(10), r: /x/g, n: [NaN, { $escape: 1 }] },
};

module.exports = { ofSerializer, ofEJSON };
