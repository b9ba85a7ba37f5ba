"use strict";

// What a Runner application does with bytes: raw bodies, files, streams, and the response of useExposureContext().

const assert = require("node:assert/strict");
const path = require("node:path");
const { test } = require("node:test");
const { startModule } = require("./worker.js");

const start = (t) => startModule(t, path.join(__dirname, "fixtures/runner-app.js"));
const id = (name) => `app.streams.${name}`;
const task = (name, more) => ({ type: "task", taskId: id(name), method: "POST", url: "/__runner/task/x", ...more });
const json = JSON.stringify;
const sentinel = (fileId, meta) => ({ $runnerFile: "File", id: fileId, meta });
const typed = (type, value) => ({ __type: type, value });
const jsonType = "application/json; charset=utf-8";

// ask runs a task and returns { head, text, error } of a streamed result, or its answer.
async function ask(worker, name, input) {
  const call = worker.start(task(name), json(input ?? null));
  const { id: _, ...head } = await call.answer;
  if (!head.stream) return head;
  const { bytes, error } = await call.result.all();
  return { head, text: bytes.toString(), error };
}

// file sends a whole small file.
function file(worker, call, s, text, described) {
  worker.send({ type: "file", id: call.id, s, ...described });
  worker.send({ type: "data", id: call.id, s }, text);
  worker.send({ type: "end", id: call.id, s });
}

test("a raw body is req", async (t) => {
  const worker = await start(t);
  const call = worker.start(task("req", { body: true, requestId: "r-1", headers: "x-own\n1" }));
  assert.equal((await worker.control()).type, "window");
  worker.send({ type: "data", id: call.id }, "hello");
  worker.send({ type: "end", id: call.id });
  assert.deepEqual((await call.answer).result, {
    input: typed("Undefined", null),
    before: [false, false],
    method: "POST",
    url: "/__runner/task/x",
    headers: { "x-own": "1", "x-runner-request-id": "r-1" },
    httpVersion: "1.1",
    text: "hello",
    after: [true, false],
  });
});

test("req without a body", async (t) => {
  const worker = await start(t);
  const { result } = await ask(worker, "req", 1);
  assert.deepEqual([result.input, result.before, result.text, result.after], [1, [true, false], "", [true, false]]);
});

test("a raw body is duplex", async (t) => {
  const worker = await start(t);
  const call = worker.start(task("upper", { body: true }));
  await worker.control();
  worker.send({ type: "data", id: call.id }, "hello ");
  await call.result.atLeast(6);
  worker.send({ type: "data", id: call.id }, "world");
  worker.send({ type: "end", id: call.id });
  assert.equal((await call.result.all()).bytes.toString(), "HELLO WORLD");
});

test("cancelling aborts req", async (t) => {
  const worker = await start(t);
  const call = worker.start(task("reqAborted", { body: true }));
  await worker.control();
  worker.send({ type: "cancel", id: call.id });
  assert.deepEqual((await call.answer).result, { aborted: true, complete: false, same: true });
});

test("files are those of the application's Runner, and what is beside them is kept", async (t) => {
  const worker = await start(t);
  const input = {
    file: sentinel("F1", { extra: { when: typed("Date", "1970-01-01T00:00:00.000Z") } }),
    date: typed("Date", "1970-01-01T00:00:00.000Z"),
    map: typed("Map", [["a", sentinel("F2")], [sentinel("F2"), typed("Set", [sentinel("F1"), 1])]]),
    bytes: typed("Buffer", [1, 2]),
    point: typed("Point", [1, 2]),
    big: typed("BigInt", "1"),
  };
  const call = worker.start(task("files", { files: ["F1", "F2"] }), json(input));
  assert.equal((await worker.control()).s, 1);
  file(worker, call, 1, "one", { name: "a.txt", contentType: "text/css" });
  assert.equal((await worker.control()).s, 2);
  file(worker, call, 2, "two");
  assert.deepEqual((await call.answer).result, {
    first: { name: "a.txt", type: "text/css", text: "one", when: typed("Date", "1970-01-01T00:00:00.000Z") },
    second: { name: "upload", type: "text/plain", text: "two" },
    nodeInputFiles: [true, true],
    same: [true, true],
    kinds: ["Date", "Map", "Set", "Buffer", "Point", "bigint"],
  });
});

test("toTempFile, and reading twice", async (t) => {
  const worker = await start(t);
  const call = worker.start(task("temp", { files: ["F1"] }), json({ file: sentinel("F1") }));
  await worker.control();
  file(worker, call, 1, "abc", { name: "a.txt" });
  const { name, bytesWritten, text, again } = (await call.answer).result;
  assert.match(name, /^a\.txt\./);
  assert.deepEqual([bytesWritten, text], [3, "abc"]);
  assert.match(again, /^InputFile stream already consumed/);
});

test("forms that cannot be read, and tasks that throw nothing", async (t) => {
  const worker = await start(t);
  const { answer } = worker.start(task("files", { files: [] }), json(typed("Unknown", 1)));
  assert.deepEqual((await answer).error, { message: "Invalid manifest", code: "INVALID_MULTIPART" });
  const undefinedThrown = worker.start({ type: "task", taskId: "app.tasks.failUndefined", files: [] }, "1");
  assert.equal((await undefinedThrown.answer).error.code, "EXECUTION_ERROR");
});

test("streamed results", async (t) => {
  const worker = await start(t);
  const octets = { ok: true, stream: true, status: 200, contentType: "application/octet-stream" };
  assert.deepEqual(await ask(worker, "readable"), { head: octets, text: "hello", error: undefined });
  assert.deepEqual(await ask(worker, "withHead"), {
    head: { ok: true, stream: true, status: 206, contentType: "text/plain", headers: ["x-a", "1"] },
    text: "hello",
    error: undefined,
  });
  assert.equal((await ask(worker, "failFirst")).error.code, "EXECUTION_ERROR");
  assert.equal((await ask(worker, "failFirstTyped")).error.httpCode, 418);
  const later = await ask(worker, "failLater");
  assert.equal(later.text, "some");
  assert.match(later.error, /disk failure/);
});

for (const [name, head, text, error] of [
  ["end", { status: 200 }, "x"],
  ["write", { status: 201, contentType: "text/plain", headers: ["x-a", "1", "x-b", "2", "x-b", "3"] }, "one two"],
  ["writeHead", { status: 202, contentType: "text/css", headers: ["x-a", "1"] }, ""],
  ["writeHeadArray", { status: 200, headers: ["set-cookie", "a", "set-cookie", "b"] }, "x"],
  ["pipe", { status: 200 }, "piped"],
  ["later", { status: 200 }, "later"],
  ["flush", { status: 200, headers: ["x-a", "1"], flush: true }, "late"],
  ["endAndThrow", { status: 200 }, "x"],
  ["writeAndThrow", { status: 200 }, "some", /secret/],
  ["writeAndThrowTyped", { status: 200 }, "some", /Coded/],
  ["destroy", { status: 200 }, "some", /the response was destroyed/],
  ["headersOnly", { status: 200, contentType: jsonType, headers: ["x-a", "1", "content-length", "22"] }, '{"ok":true,"result":7}'],
  ["headersAndStream", { status: 200, contentType: "application/octet-stream", headers: ["x-a", "1"] }, "x"],
  ["endAndStream", { status: 200 }, "x"],
  ["endTwice", { status: 200 }, "x"],
  ["hints", { status: 200, headers: ["trailer", "x-a"] }, "x"],
]) {
  test(`res: ${name}`, async (t) => {
    const worker = await start(t);
    const got = await ask(worker, `res.${name}`);
    assert.deepEqual(got.head, { ok: true, stream: true, ...head });
    assert.equal(got.text, text);
    if (error) assert.match(got.error, error);
    else assert.equal(got.error, undefined);
    assert.deepEqual(await worker.task("app.tasks.echo", 1), { ok: true, result: 1 });
  });
}

test("res: what is not sent", async (t) => {
  const worker = await start(t);
  assert.deepEqual(await ask(worker, "res.untouched"), { ok: true, result: [200, false, false, false] });
  assert.equal((await ask(worker, "res.writeHeadAndThrow")).error.code, "EXECUTION_ERROR");
  assert.equal((await ask(worker, "res.destroyAtOnce")).error.code, "EXECUTION_ERROR");
  assert.equal((await ask(worker, "res.badStatus")).error.code, "EXECUTION_ERROR");
});

test("res: its state and its rules", async (t) => {
  const worker = await start(t);
  const { text, head } = await ask(worker, "res.state");
  assert.deepEqual(JSON.parse(text), {
    get: ["1", null, ["1", "2"]],
    has: [true, false],
    names: ["x-a", "x-c"],
    before: [false, false],
    after: [true, false],
    codes: ["ERR_HTTP_HEADERS_SENT", "ERR_HTTP_HEADERS_SENT", "ERR_INVALID_HTTP_TOKEN", "ERR_INVALID_CHAR"],
  });
  assert.deepEqual(head.headers, ["x-a", "1", "x-c", "1", "x-c", "2"]);
});

test("res: cancelling closes it", async (t) => {
  const worker = await start(t);
  const begun = worker.start(task("res.cancelled"), json({ write: true }));
  await begun.result.atLeast(4);
  worker.send({ type: "cancel", id: begun.id });
  assert.match((await begun.result.all()).error, /Client Closed Request/);
  const unsent = worker.start(task("res.cancelled"), json({}));
  await worker.task("app.tasks.echo", 1);
  worker.send({ type: "cancel", id: unsent.id });
  assert.equal((await unsent.answer).ok, false);
  assert.deepEqual(await worker.task(id("closed")), { ok: true, result: 2 });
});
