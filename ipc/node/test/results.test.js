"use strict";

// What is no JSON, as the result of a task: it is streamed, or fails the call, and is never an empty object.

const assert = require("node:assert/strict");
const { once } = require("node:events");
const { createServer } = require("node:http");
const { test } = require("node:test");
const { gzipSync } = require("node:zlib");
const { startModule } = require("./worker.js");

const start = (t) => startModule(t, "results.mjs");

async function streamed(worker, taskId, input) {
  const { answer, result } = worker.start({ type: "task", taskId }, JSON.stringify(input));
  const { id, ok, stream, error, ...head } = await answer;
  assert.equal(error, undefined, taskId);
  assert.deepEqual({ ok, stream }, { ok: true, stream: true }, taskId);
  const whole = await result.all();
  assert.equal(whole.error, undefined, taskId);
  return { ...head, text: whole.bytes.toString() };
}

const BINARY = "application/octet-stream";
const plain = { status: 200, contentType: BINARY, text: "some bytes" };
const streams = {
  webStream: plain,
  foreign: plain,
  later: plain,
  inside: { status: 201, contentType: "text/x", headers: ["x-a", "1"], text: "some bytes" },
  response: { status: 202, contentType: "text/plain;charset=UTF-8", headers: ["x-a", "1", "x-b", "2"], text: "some bytes" },
  redirect: { status: 302, contentType: BINARY, headers: ["location", "http://localhost/a"], text: "" },
  noBody: { status: 404, contentType: BINARY, text: "" },
  blob: { ...plain, contentType: "text/x" },
  file: { ...plain, contentType: "text/y" },
  generator: plain,
  syncGenerator: plain,
  iterable: plain,
  generatorInside: { ...plain, contentType: "text/x" },
  readable: plain,
  nothing: { ...plain, text: "" },
};

test("what is made of bytes is streamed", async (t) => {
  const worker = await start(t);
  for (const [taskId, want] of Object.entries(streams)) assert.deepEqual(await streamed(worker, taskId), want, taskId);
});

test("what fetch has decoded has no encoding any more", async (t) => {
  const server = createServer((_, res) => {
    res.writeHead(200, { "content-type": "text/x", "content-encoding": "gzip", "x-a": "1" }).end(gzipSync("some bytes"));
  });
  t.after(() => server.close().closeAllConnections());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const worker = await start(t);
  const { headers, ...rest } = await streamed(worker, "fetched", `http://127.0.0.1:${server.address().port}/`);
  assert.deepEqual(rest, { ...plain, contentType: "text/x" });
  assert.ok(headers.includes("x-a"));
  assert.ok(!headers.includes("content-encoding") && !headers.includes("content-length"), headers);
});

const kinds = (type) => new RegExp(`is of type ${type}, of which JSON keeps nothing`);
const refusals = {
  webObjects: /bytes or text is needed/,
  webNull: /a web stream gave null/,
  webFails: /disk failure/,
  webFailsOddly: /undefined/,
  locked: /locked/,
  used: /was read before it was returned/,
  failedResponse: /no status/,
  generatorObjects: /bytes or text is needed/,
  generatorFails: /disk failure/,
  bytes: kinds("Uint8Array"),
  floats: kinds("Float64Array"),
  noBytes: kinds("Uint8Array"),
  buffer: kinds("ArrayBuffer"),
  view: kinds("DataView"),
  map: kinds("Map"),
  set: kinds("Set"),
  weak: kinds("WeakMap"),
  error: kinds("Error"),
  regexp: kinds("RegExp"),
  params: kinds("URLSearchParams"),
  headers: kinds("Headers"),
  form: kinds("FormData"),
  promise: kinds("Promise"),
  deep: /^TypeError: the result\["list"\]\["1"\]\["a b"\] is of type Map/,
  deepBytes: kinds("Uint8Array"),
  deepStream: kinds("ReadableStream"),
  converted: kinds("Set"),
};

test("what JSON would drop fails the call, with a reason for the log", async (t) => {
  const worker = await start(t);
  for (const [taskId, message] of Object.entries(refusals)) {
    const { ok, error } = await worker.task(taskId);
    assert.equal(ok, false, taskId);
    assert.equal(error.code, "EXECUTION_ERROR", taskId);
    assert.match(error.message, message, taskId);
  }
});

test("values that are empty, or look like it, stay what they are", async (t) => {
  const worker = await start(t);
  for (const [taskId, result] of Object.entries({
    empty: {},
    emptyDeep: [{ a: {}, b: [], c: "{}", d: { 0: "a" }, e: {} }],
    own: {},
    boxed: [{}, "a", 1, true],
    date: [{}, "1970-01-01T00:00:00.000Z", "http://localhost/", { type: "Buffer", data: [97] }],
    jsonMap: [{}, "a map"],
  })) {
    assert.deepEqual(await worker.task(taskId), { ok: true, result }, taskId);
  }
});

test("events and identities", async (t) => {
  const worker = await start(t);
  assert.match((await worker.event("map", 1, { returnPayload: true })).error.message, kinds("Map"));
  assert.match((await worker.event("stream", 1, { returnPayload: true })).error.message, /only a task can/);
  assert.equal((await worker.auth()).error.code, "UNAUTHORIZED");
  await worker.end();
  assert.match(worker.stderr, kinds("Map"));
});

test("a web stream is pulled as far as there is credit, and cancelled with its call", async (t) => {
  const worker = await start(t);
  for (const taskId of ["endless", "stuck"]) {
    const { id, answer, result } = worker.start({ type: "task", taskId });
    result.grant = false;
    if (taskId === "endless") {
      assert.equal((await answer).stream, true);
      await result.atLeast(16 << 10);
    } else {
      await worker.task("seen"); // it has begun
    }
    worker.send({ type: "cancel", id });
    if (taskId === "endless") await result.all();
    let seen = [];
    while (seen.length === 0) seen = (await worker.task("seen")).result;
    if (taskId === "stuck") assert.deepEqual(seen, ["cancelled"]);
    else assert.ok(seen[0][0] === "cancelled" && seen[0][1] < 40, JSON.stringify(seen));
  }
});

test("a generator is ended with its call", async (t) => {
  const worker = await start(t);
  const { id, answer, result } = worker.start({ type: "task", taskId: "generator" });
  await answer;
  await result.all();
  worker.send({ type: "cancel", id });
  assert.deepEqual((await worker.task("seen")).result, ["generator ended"]);
});
