"use strict";

// The values that tasks of full.js return, and a description of those that they get.

class Point {
  constructor(x, y) {
    Object.assign(this, { x, y });
  }
}

// pointType is a custom type, which the application registers with the serializer.
const pointType = {
  id: "Point",
  is: (value) => value instanceof Point,
  serialize: ({ x, y }) => ({ x, y }),
  deserialize: ({ x, y }) => new Point(x, y),
};

// describe says what a value is, so that two processes can be compared in more than what their serializers tell.
function describe(value, above = []) {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      return `number ${Object.is(value, -0) ? "-0" : value}`;
    case "bigint":
      return `bigint ${value}`;
    case "symbol":
      return `symbol ${Symbol.keyFor(value) ?? "unregistered"} ${value.description}`;
    case "object":
      if (value !== null) break;
    // falls through
    default:
      return String(value);
  }
  if (above.includes(value)) return `cycle ${above.length - above.indexOf(value)}`;
  const inside = (inner) => describe(inner, [...above, value]);
  const name = Object.getPrototypeOf(value)?.constructor?.name ?? "no prototype";
  if (value instanceof Date) return `${name} ${Number.isNaN(+value) ? "invalid" : value.toISOString()}`;
  if (value instanceof RegExp || value instanceof URL || value instanceof URLSearchParams) return `${name} ${value}`;
  if (value instanceof Map) return [name, ...[...value].map((pair) => pair.map(inside))];
  if (value instanceof Set) return [name, ...[...value].map(inside)];
  if (value instanceof ArrayBuffer) return `${name} ${new Uint8Array(value)}`;
  if (ArrayBuffer.isView(value)) {
    return `${name} ${new Uint8Array(value.buffer, value.byteOffset, value.byteLength)}`;
  }
  const own = (key) => !(value instanceof Error && key === "stack" && value.stack.includes("\n    at ")); // has file names
  const members = Object.getOwnPropertyNames(value)
    .filter(own)
    .map((key) => [key, inside(value[key])]);
  return [name, ...members];
}

const cycle = {};
cycle.inner = { cycle };
const shared = { a: 1 };
const bytes = Uint8Array.of(1, 2, 0, 127, 128, 254, 255, 0);
const nested = (depth) => (depth === 0 ? 1 : [nested(depth - 1)]);

function withStack(error, more) {
  return Object.assign(error, { stack: "a stack" }, more);
}

const values = {
  undefined,
  null: null,
  NaN,
  Infinity,
  "-Infinity": -Infinity,
  "minus zero": -0,
  "small number": 5e-324,
  "large number": 1.7976931348623157e308,
  bigint: -(2n ** 70n),
  "members without a value": { a: undefined, b: [undefined, null] },
  "sparse array": [1, , 3],
  "array with a name": Object.assign([1], { name: 2 }),
  date: new Date("2024-01-02T03:04:05.678Z"),
  "date before all": new Date(-8.64e15),
  "invalid date": new Date(NaN),
  regexp: /a(b|c)+\/"\u2028/dgimsuy,
  "unsafe regexp": /(a+)+/,
  map: new Map([["a", 1], [{ key: 1 }, new Date(0)], [undefined, NaN], [new Map(), new Set([[]])]]),
  "map in an object": { map: new Map(), set: new Set() },
  set: new Set([1, "1", 1n, { a: new Set([undefined]) }]),
  "Symbol.for": Symbol.for("a key"),
  "well-known symbol": Symbol.asyncIterator,
  "unique symbol": Symbol("unique"),
  "symbol as a name": { [Symbol.for("a")]: 1, b: 2 },
  error: withStack(new Error("a message")),
  "error with a cause": withStack(new TypeError("outer", { cause: withStack(new RangeError("inner")) })),
  "error with a cause that is none": withStack(new Error("outer", { cause: { date: new Date(0) } })),
  "error with fields": withStack(new Error("a message"), { code: "E_A", map: new Map([[1, 2]]), name: "Own" }),
  "error without a stack": (() => {
    const error = new Error("a message");
    delete error.stack;
    return error;
  })(),
  "several errors": withStack(new AggregateError([withStack(new Error("a"))], "several")),
  URL: new URL("https://user:pass@example.test:8443/a%20b?q=1#h"),
  URLSearchParams: new URLSearchParams([["a", "1"], ["a", "č &="]]),
  buffer: Buffer.from("Aé\0"),
  "empty buffer": Buffer.alloc(0),
  "part of a buffer": bytes.subarray(1, 3),
  "array buffer": bytes.buffer,
  "data view": new DataView(bytes.buffer, 2, 4),
  ...Object.fromEntries(
    [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array]
      .concat([Float64Array, BigInt64Array, BigUint64Array])
      .map((type) => [type.name, new type(bytes.buffer)]),
  ),
  "shared buffer": new SharedArrayBuffer(2),
  point: new Point(1, new Date(0)),
  "point in a map": new Map([[new Point(1, 2), [new Point(3, 4)]]]),
  "class with toJSON": new (class {
    a = 1;
    get b() {
      return 2;
    }
    toJSON() {
      return "JSON";
    }
  })(),
  "no prototype": Object.assign(Object.create(null), { a: 1 }),
  getter: {
    get a() {
      return new Date(0);
    },
  },
  "getter that throws": {
    get a() {
      throw new Error("secret of a getter");
    },
  },
  boxed: [Object(1), Object("ab"), Object(true)],
  function: () => {},
  "function inside": { a: [() => {}] },
  class: class {},
  cycle,
  "cycle in a map": (() => {
    const map = new Map();
    return map.set("map", map);
  })(),
  "shared object": [shared, shared, { shared }],
  promise: { a: Promise.resolve(1) },
  "weak map": new WeakMap(),
  generator: (function* () {})(),
  "pipe that is no function": { pipe: 1 },
  "stream that is none": { stream: "text" },
  "web stream": new ReadableStream(),
  "names of the serializer": {
    __type: "Date",
    value: 0,
    __graph: true,
    "$runner.escape::__type": 1,
    $ref: 1,
    __ref: "a",
  },
  "names of a prototype": JSON.parse('{"a":1,"__proto__":{"b":2},"constructor":3,"prototype":4}'),
  "names that are numbers": { b: 1, 2: 2, 1: 3, "-1": 4, "01": 5 },
  "odd names": { "": 1, " ": 2, "\u2028": 3, "\ud800": 4, '"\\\n': 5 },
  text: "č 日本 😀 \u0000\u001f\u007f\u0085\u2028\u2029\ufeff </script> \ud800 \udc00x \"\\/",
  "long text": "0123456789ž".repeat(30_000),
  "depth of 900": nested(900),
  "depth of 998": nested(998),
  "depth of 999": nested(999),
  "depth of 1000": nested(1000),
  "depth of 5000": nested(5000),
  arguments: (function () {
    return arguments;
  })(1, 2),
};

module.exports = { describe, Point, pointType, values };
