"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const frames = require("../lib/frames.js");
const golden = require("./golden.json");

const toWorker = golden.filter(({ to }) => to === "worker");
const toServer = golden.filter(({ to }) => to === "server");

// collector returns a Decoder that adds [message, text] pairs to received. The bytes of data come whole, and as text.
function collector(received, onPiece = () => {}) {
  const pieces = [];
  return new frames.Decoder(
    (message, text) => received.push([message, text]),
    (message, bytes) => {
      onPiece(bytes);
      pieces.push(bytes);
      const whole = Buffer.concat(pieces);
      if (whole.length < message.n) return;
      pieces.length = 0;
      received.push([message, whole.toString()]);
    },
  );
}

// decode returns the pairs of chunks, and checks that the pieces of data are theirs.
function decode(...chunks) {
  const received = [];
  const decoder = collector(received, (bytes) =>
    assert.ok(
      chunks.some(({ buffer, byteOffset, length }) => {
        return bytes.buffer === buffer && bytes.byteOffset >= byteOffset && bytes.byteOffset <= byteOffset + length;
      }),
      "a copy of data",
    ),
  );
  for (const chunk of chunks) decoder.push(chunk);
  return received;
}

test("the hello names the version of the package", () => {
  assert.equal(frames.PACKAGE, require("../package.json").version);
});

test("a full data message fits a pipe, and a window is made of them", () => {
  const line = `{"type":"data","id":${Number.MAX_SAFE_INTEGER},"s":${Number.MAX_SAFE_INTEGER},"n":${frames.FULL_DATA}}\n`;
  assert.ok(line.length + frames.FULL_DATA <= 64 << 10);
  assert.equal((frames.WINDOW / 2) % frames.FULL_DATA, 0); // it is given back in halves
});

const encode = ({ message: m, payload }) => {
  switch (m.type) {
    case "hello":
      return frames.encodeHello(m);
    case "pong":
      return frames.encodePong(m.id);
    case "draining":
      return frames.encodeDraining();
    case "log":
      return frames.encodeLog(m.level, m.message);
    case "data":
      return frames.encodeData(m.id, Buffer.byteLength(payload)) + payload;
    case "end":
      return frames.encodeEnd(m.id, m.error);
    case "window":
      return frames.encodeWindow(m.id, m.s, m.size);
    case "stop":
      return frames.encodeStop(m.id, m.s);
    default:
      if (!m.ok) return frames.encodeError(m.id, m.error);
      if (m.void) return frames.encodeVoid(m.id);
      if (m.stream) return frames.encodeStream(m.id, m);
      return frames.encodeResult(m.id, payload ?? (m.result === undefined ? undefined : JSON.stringify(m.result)));
  }
};

for (const { name, wire, message, payload } of toWorker) {
  test(`golden, to the worker: ${name}`, () => {
    assert.deepEqual(decode(Buffer.from(wire)), [[message, payload]]);
  });
}

for (const item of toServer) {
  test(`golden, to the server: ${item.name}`, () => assert.equal(encode(item), item.wire));
}

test("golden messages are of every type", () => {
  const types = (items) => [...new Set(items.map(({ message }) => message.type ?? `ok: ${message.ok}`))].sort();
  assert.deepEqual(types(toWorker), [
    "auth",
    "cancel",
    "data",
    "drain",
    "end",
    "event",
    "file",
    "ping",
    "task",
    "window",
  ]);
  assert.deepEqual(types(toServer), [
    "data",
    "draining",
    "end",
    "hello",
    "log",
    "ok: false",
    "ok: true",
    "pong",
    "stop",
    "window",
  ]);
});

const stream = Buffer.concat(toWorker.map(({ wire }) => Buffer.from(wire)));
const expected = toWorker.map(({ message, payload }) => [message, payload]);

test("chunks may be cut anywhere", () => {
  for (let at = 0; at <= stream.length; at++) {
    assert.deepEqual(decode(stream.subarray(0, at), stream.subarray(at)), expected, `cut at ${at}`);
  }
});

test("chunks may have any size", () => {
  for (let size = 1; size <= stream.length; size++) {
    const chunks = [];
    for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size));
    assert.deepEqual(decode(...chunks), expected, `chunks of ${size}`);
  }
});

test("lent chunks may be overwritten", () => {
  for (let size = 1; size <= stream.length; size++) {
    const received = [];
    const decoder = collector(received);
    const buffer = Buffer.alloc(size);
    for (let at = 0; at < stream.length; at += size) {
      decoder.push(buffer.subarray(0, stream.copy(buffer, 0, at, at + size)), true);
      buffer.fill("~");
    }
    assert.deepEqual(received, expected, `chunks of ${size}`);
  }
});

test("random chunks", () => {
  const long = Buffer.concat(Array(20).fill(stream));
  for (let round = 0; round < 200; round++) {
    const chunks = [];
    for (let at = 0; at < long.length;) {
      const size = Math.floor(Math.random() ** 3 * 2_000);
      chunks.push(long.subarray(at, at + size));
      at += size;
    }
    assert.deepEqual(decode(...chunks), Array(20).fill(expected).flat());
  }
});

test("no bytes are a text", () =>
  assert.deepEqual(decode(Buffer.from('{"n":0}\n{}\n')), [
    [{ n: 0 }, ""],
    [{}, undefined],
  ]));

test("broken UTF-8 is replaced", () => {
  assert.deepEqual(decode(Buffer.from('{"n":3}\n"\xff"', "latin1")), [[{ n: 3 }, '"\ufffd"']]);
});

test("data is handed on as it arrives, and soon not made text", (t) => {
  const received = [];
  const decoder = new frames.Decoder(
    (message) => received.push(message.type),
    (_message, bytes) => received.push(bytes.toString()),
  );
  const conversions = t.mock.method(Buffer.prototype, "latin1Slice");
  const push = (text) => decoder.push(Buffer.from(text));
  push('{"type":"data","n":6}\nab');
  push("cd");
  push('ef{"type":"data","n":1}\nx{"type":"cancel"}\n{"type":"data","n":0}\n{"type":"data","n":70000}\ny');
  push("z".repeat(69_998));
  push('y{"type":"ping"}\n');
  const z = "z".repeat(69_998);
  assert.deepEqual(received, ["ab", "cd", "ef", "x", "cancel", "y", z, "y", "ping"]);
  const longest = Math.max(...conversions.mock.calls.map(({ result }) => result.length));
  assert.ok(longest < 30, `${longest} bytes at once`);
});

test("time grows with the bytes, not with their square", () => {
  const head = Buffer.from(`{"n":${50 << 20}}\n`);
  const chunk = Buffer.alloc(4 << 10, "é");
  const chunks = Array(((50 << 20) / chunk.length) | 0).fill(chunk);
  const start = process.cpuUsage();
  const [[, text]] = decode(head, ...chunks);
  const line = decode(Buffer.from('{"a":"'), ...Array(4_000).fill(Buffer.alloc(4 << 10, "a")), Buffer.from('"}\n'));
  assert.ok(process.cpuUsage(start).user < 5_000_000, "µs of the processor, whatever else it does");
  assert.equal(text.length, 25 << 20);
  assert.equal(line[0][0].a.length, 4_000 << 12);
});

test("bytes that fit no string are counted, not kept", () => {
  const n = (1 << 29) + 100; // more than a string's 2^29 - 24 characters
  const chunk = Buffer.alloc(1 << 20, "a");
  const before = process.memoryUsage().rss;
  const received = decode(
    Buffer.from(`{"n":${n}}\n`),
    ...Array(512).fill(chunk),
    Buffer.from(`${"a".repeat(100)}{}\n`),
  );
  assert.deepEqual(received, [
    [{ n }, null],
    [{}, undefined],
  ]);
  assert.ok(process.memoryUsage().rss - before < 100 << 20);
});

for (const [name, ...chunks] of [
  ["no JSON", "hello\n"],
  ["an empty line", "\n"],
  ["an array", "[1]\n"],
  ["null", "null\n"],
  ["a number", "1\n"],
  ["half a line", '{"type":\n'],
  ["n is negative", '{"n":-1}\n'],
  ["n is no integer", '{"n":1.5}\n'],
  ["n is a string", '{"n":"1"}\n'],
  ["n is null", '{"n":null}\n'],
  ["n is too big", `{"n":${(1 << 30) + 1}}\n`],
  ["a line that is too long", "{", " ".repeat(frames.MAX_LINE)],
  ["a line that is too long, in one chunk", `{}${" ".repeat(frames.MAX_LINE)}\n`],
]) {
  test(`protocol error: ${name}`, () => {
    assert.throws(() => decode(...chunks.map((chunk) => Buffer.from(chunk))), frames.ProtocolError);
  });
}

test("the longest line and the most bytes are no errors", () => {
  const line = `{}${" ".repeat(frames.MAX_LINE - 2)}\n`;
  assert.deepEqual(decode(Buffer.from(line)), [[{}, undefined]]);
  assert.deepEqual(decode(Buffer.from(`{"n":${frames.MAX_BYTES}}\n`)), []);
});

test("whatever arrives, there are messages or a ProtocolError", () => {
  for (let round = 0; round < 5_000; round++) {
    const bytes = Buffer.from(stream);
    for (let i = 0; i < 3; i++) bytes[Math.floor(Math.random() * bytes.length)] = Math.floor(Math.random() * 256);
    try {
      decode(bytes.subarray(0, 500), bytes.subarray(500));
    } catch (error) {
      assert.ok(error instanceof frames.ProtocolError, error);
    }
  }
});
