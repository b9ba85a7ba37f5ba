"use strict";

const assert = require("node:assert/strict");
const { createHash, randomBytes } = require("node:crypto");
const { once } = require("node:events");
const { mkdtempSync, readdirSync, rmSync } = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { test } = require("node:test");
const { startModule } = require("./worker.js");

const { FULL_DATA: FRAME, MAX_DATA, WINDOW } = require("../lib/frames.js");
const HALF = WINDOW / 2;
const FIRST = 16 << 10;

const start = (t, options) => startModule(t, "streams.mjs", options);
const task = (taskId, more) => ({ type: "task", taskId, ...more });
const json = JSON.stringify;
const sentinel = (id, meta) => ({ $runnerFile: "File", id, meta });

// body starts a task with a raw body and waits for the first window.
async function body(worker, taskId, more) {
  const call = worker.start(task(taskId, { body: true, ...more }));
  assert.deepEqual(await worker.control(), { type: "window", id: call.id, s: 0, size: WINDOW });
  return call;
}

// upload sends bytes as far as there is credit, and then the end.
async function upload(worker, id, s, bytes, credit = WINDOW) {
  for (let at = 0; at < bytes.length;) {
    while (credit === 0) {
      const window = await worker.control();
      assert.deepEqual(window, { type: "window", id, s, size: HALF });
      credit += window.size;
    }
    const size = Math.min(FRAME, credit, bytes.length - at);
    worker.send({ type: "data", id, s }, bytes.subarray(at, at + size));
    at += size;
    credit -= size;
  }
  worker.send({ type: "end", id, s });
}

// file sends a whole small file.
function file(worker, id, s, text, described) {
  worker.send({ type: "file", id, s, ...described });
  if (text) worker.send({ type: "data", id, s }, text);
  worker.send({ type: "end", id, s });
}

// marked waits until the worker has done all that it can, also if nobody reads its messages.
async function marked(worker, text) {
  worker.start(task("mark"), json(text));
  await worker.printed(text);
}

// settled waits until the worker has done what it was told before.
async function settled(worker) {
  worker.send({ type: "ping", id: 0 });
  for (;;) {
    const message = await worker.control();
    if (message.type === "pong") return;
    assert.fail(`unexpected: ${json(message)}`);
  }
}

test("hello names the idempotent tasks", async (t) => {
  assert.deepEqual((await start(t)).hello.idempotent, ["add", "text"]);
});

test("a raw body", async (t) => {
  const worker = await start(t);
  const call = await body(worker, "text");
  worker.send({ type: "data", id: call.id }, "some ");
  worker.send({ type: "data", id: call.id }, "");
  worker.send({ type: "data", id: call.id }, "text");
  worker.send({ type: "end", id: call.id });
  assert.deepEqual(await call.answer, { id: call.id, ok: true, result: "some text" });
  await settled(worker);
});

test("an empty body, whose end comes before anybody reads", async (t) => {
  const worker = await start(t);
  const call = worker.start(task("text", { body: true }));
  worker.send({ type: "end", id: call.id });
  assert.equal((await call.answer).result, "");
});

test("a large body, with credit in halves", async (t) => {
  const worker = await start(t);
  const bytes = randomBytes(5 << 20);
  const call = await body(worker, "sha256");
  await upload(worker, call.id, 0, bytes);
  assert.equal((await call.answer).result, createHash("sha256").update(bytes).digest("hex"));
});

test("a body of single bytes", async (t) => {
  const worker = await start(t);
  const call = await body(worker, "steps", { headers: "x-name\na" });
  for (let i = 0; i < 20_000; i++) worker.send({ type: "data", id: call.id }, "x");
  worker.send({ type: "end", id: call.id });
  worker.task("step", { name: "a", size: 20_000 });
  worker.task("step", { name: "a" });
  assert.equal((await call.answer).result, 20_000);
});

test("credit is given as bytes are read", async (t) => {
  const worker = await start(t);
  const call = await body(worker, "steps", { headers: "x-name\na" });
  const data = (size) => worker.send({ type: "data", id: call.id }, Buffer.alloc(size));
  for (let i = 0; i < 4; i++) data(FRAME);
  await settled(worker); // all the credit is used, and nothing was read
  await worker.task("step", { name: "a", size: HALF });
  assert.deepEqual(await worker.control(), { type: "window", id: call.id, s: 0, size: HALF });
  await settled(worker);
  data(FRAME);
  data(FRAME);
  await worker.task("step", { name: "a", size: WINDOW });
  assert.deepEqual(await worker.control(), { type: "window", id: call.id, s: 0, size: HALF });
  worker.send({ type: "end", id: call.id });
  await worker.task("step", { name: "a" });
  assert.equal((await call.answer).result, WINDOW + HALF);
});

test("a chunk keeps no more memory alive than it has", async (t) => {
  const worker = await start(t);
  const call = await body(worker, "memory");
  worker.input.cork(); // one read
  worker.send({ type: "data", id: call.id }, Buffer.alloc(40_000));
  worker.send({ type: "end", id: call.id });
  worker.input.uncork();
  const { result } = await call.answer;
  assert.ok(result <= 48_000, `${result} bytes for 40,000`);
});

test("more data than credit is a protocol error", async (t) => {
  const worker = await start(t);
  const call = await body(worker, "steps", { headers: "x-name\na" });
  for (let i = 0; i < 4; i++) worker.send({ type: "data", id: call.id }, Buffer.alloc(FRAME));
  await settled(worker);
  worker.send({ type: "data", id: call.id }, "x");
  assert.equal(await worker.exit, 70);
  assert.match(worker.stderr, /more of stream 0 of call 1 than was asked for/);
});

test("together, streams have little more credit than their share", async (t) => {
  const worker = await start(t);
  const sizes = [];
  for (let i = 0; i < 70; i++) {
    worker.start(task("steps", { body: true, headers: `x-name\n${i}` }));
    worker.task("step", { name: `${i}`, size: 1 });
    sizes.push((await worker.control()).size);
  }
  assert.deepEqual(sizes, [...Array(66).fill(WINDOW), ...Array(4).fill(16 << 10)]);
  for (let id = 1; id < 20; id += 2) worker.send({ type: "cancel", id });
  const call = await body(worker, "text"); // there is room again
  assert.ok(call);
});

test("nobody reads a body", async (t) => {
  const worker = await start(t);
  const call = worker.start(task("ignore", { body: true }));
  assert.equal((await call.answer).result, "ignored");
  worker.send({ type: "data", id: call.id }, "has crossed the answer");
  worker.send({ type: "end", id: call.id });
  worker.send({ type: "window", id: call.id, size: 5 });
  await settled(worker);
});

test("a body that is not read to its end is stopped", async (t) => {
  const worker = await start(t);
  const call = await body(worker, "stop");
  worker.send({ type: "data", id: call.id }, "abc");
  assert.deepEqual(await worker.control(), { type: "stop", id: call.id, s: 0 });
  assert.equal((await call.answer).result, 3);
  const unread = worker.start(task("stopUnread", { body: true }));
  assert.deepEqual(await worker.control(), { type: "stop", id: unread.id, s: 0 });
  assert.equal((await unread.answer).result, "stopped");
  worker.send({ type: "data", id: call.id }, "more");
  await settled(worker);
});

test("an answer ends what is left of a body, without a word", async (t) => {
  const worker = await start(t);
  const call = worker.start(task("readLater", { body: true }));
  assert.equal((await call.answer).result, "answered");
  assert.equal((await worker.control()).type, "window");
  assert.deepEqual((await worker.task("seen")).result, [["readLater", "the call has been answered", false]]);
  await settled(worker);
});

test("a body that breaks off", async (t) => {
  const worker = await start(t);
  const call = await body(worker, "text");
  worker.send({ type: "data", id: call.id }, "some");
  worker.send({ type: "end", id: call.id, error: "the caller has left" });
  assert.match((await call.answer).error.message, /^Error: the caller has left/);
  const unread = worker.start(task("hold", { body: true })); // has no listener for the error
  worker.send({ type: "end", id: unread.id, error: "gone" });
  await settled(worker);
});

test("cancelling ends a body", async (t) => {
  const worker = await start(t);
  const call = await body(worker, "text");
  worker.send({ type: "cancel", id: call.id });
  assert.deepEqual((await call.answer).error, { message: "Client Closed Request", code: "REQUEST_ABORTED" });
  worker.send({ type: "data", id: call.id }, "has crossed the answer");
  await settled(worker);
});

// files

const form = (worker, taskId, files, input) => worker.start(task(taskId, { files }), json(input));

test("a file", async (t) => {
  const worker = await start(t);
  const call = form(worker, "file", ["F1"], { file: sentinel("F1", { size: 3, extra: { a: 1 } }) });
  assert.deepEqual(await worker.control(), { type: "window", id: call.id, s: 1, size: WINDOW });
  file(worker, call.id, 1, "abc", { name: "a.txt", contentType: "text/css" });
  assert.deepEqual((await call.answer).result, {
    early: { name: "upload", size: 3, extra: { a: 1 } },
    late: { name: "a.txt", type: "text/css", size: 3, extra: { a: 1 } },
    text: "abc",
  });
});

for (const [name, meta, described, want] of [
  [
    "the manifest wins",
    { name: "m", type: "m/m", lastModified: 5 },
    { name: "p", contentType: "p/p" },
    { name: "m", type: "m/m", lastModified: 5 },
  ],
  ["null is a value", { name: null, type: null }, { name: "p", contentType: "p/p" }, { name: null, type: null }],
  ["the part describes it", {}, { name: "p", contentType: "p/p" }, { name: "p", type: "p/p" }],
  ["nothing does", undefined, {}, { name: "upload", type: "text/plain" }],
  ["the metadata is none", 5, {}, { name: "upload", type: "text/plain" }],
  ["one of each", { name: "m" }, { contentType: "p/p" }, { name: "m", type: "p/p" }],
]) {
  test(`metadata of a file: ${name}`, async (t) => {
    const worker = await start(t);
    for (const taskId of ["file", "fileAtOnce"]) {
      const call = form(worker, taskId, ["F1"], { file: sentinel("F1", meta) });
      await worker.control();
      file(worker, call.id, 1, "abc", described);
      const { result } = await call.answer;
      const { text, ...late } = taskId === "file" ? { text: result.text, ...result.late } : result;
      assert.equal(text, "abc");
      assert.deepEqual(late, want);
    }
  });
}

test("files anywhere in an input", async (t) => {
  const worker = await start(t);
  const call = form(worker, "where", [""], sentinel("")); // an odd id, at the root
  file(worker, call.id, 1, "", { name: "root" });
  assert.deepEqual((await call.answer).result, ["ReceivedFile", { name: "upload" }]);

  const plain = [
    { $runnerFile: "File", id: 1 },
    { $runnerFile: "Other", id: "F1" },
    { $ejson: "Date", id: "F1" },
    { id: "F1" },
    sentinel("none of the form's"),
  ];
  const odd = await form(worker, "echo", ["F1"], plain).answer;
  assert.deepEqual(odd.result, JSON.parse(json(plain)));

  const both = form(worker, "inTurn", ["F1", "é"], { files: [sentinel("F1"), { $ejson: "File", id: "é" }] });
  assert.equal((await worker.control()).s, 1);
  file(worker, both.id, 1, "one");
  assert.equal((await worker.control()).s, 2);
  file(worker, both.id, 2, "two");
  assert.deepEqual((await both.answer).result, ["one", "two"]);
});

const FORM_NEEDED = { message: "The task takes a body of type multipart/form-data", code: "UNSUPPORTED_MEDIA_TYPE" };

test("files that are named without a form are the caller's error, if the task wants them", async (t) => {
  const worker = await start(t);
  const ask = (taskId, text) => worker.start(task(taskId), text).answer;
  const named = [json({ file: sentinel("F1") }), json({ file: { $ejson: "File", id: "F1" } }), '{"file":{"$runner\\u0046ile":"\\u0046ile","id":""}}'];
  for (const taskId of ["file", "fileAtOnce", "temp"]) {
    for (const text of named) assert.deepEqual((await ask(taskId, text)).error, FORM_NEEDED, `${taskId} ${text}`);
    const { code } = (await ask(taskId, json({ file: { $runnerFile: "File", id: 1 } }))).error;
    assert.equal(code, "EXECUTION_ERROR", "it is no file's placeholder, and any other data");
  }
  const several = await ask("files", json({ files: [sentinel("a"), sentinel("b")] }));
  assert.deepEqual(several.error, FORM_NEEDED);
  const event = worker.start({ type: "event", eventId: "file" }, json({ file: sentinel("F1") }));
  assert.deepEqual((await event.answer).error, { ...FORM_NEEDED, message: "An event takes no files" });
});

test("what names files without a form is data to all other tasks", async (t) => {
  const worker = await start(t);
  for (const input of [
    sentinel("F1", { name: "x" }),
    [{ deep: [sentinel("F1"), 1, "File"] }],
    { $runnerFile: "File", id: "F1", resolve: 1, stream: null },
    { $runnerFile: "File", id: "F1", meta: sentinel("F2") },
    { note: "File" },
  ]) {
    const text = json(input);
    assert.deepEqual((await worker.start(task("echo"), text).answer).result, JSON.parse(text));
    const { keys, copy, plain } = (await worker.start(task("lookAt"), text).answer).result;
    assert.deepEqual({ keys, copy, plain }, { keys: Object.keys(input), copy: JSON.parse(text), plain: true });
  }
});

test("files that arrive mixed, the second first", async (t) => {
  const worker = await start(t);
  const call = form(worker, "files", ["a", "b"], { files: [sentinel("a"), sentinel("b")] });
  const windows = [await worker.control(), await worker.control()];
  assert.deepEqual(windows.map(({ s }) => s), [1, 2]);
  for (const s of [2, 1]) worker.send({ type: "file", id: call.id, s });
  for (let i = 0; i < 3; i++) for (const s of [2, 1]) worker.send({ type: "data", id: call.id, s }, `${s}${i} `);
  for (const s of [2, 1]) worker.send({ type: "end", id: call.id, s });
  assert.deepEqual((await call.answer).result, ["10 11 12 ", "20 21 22 "]);
});

test("the same file twice is the same object, to be read once", async (t) => {
  const worker = await start(t);
  const [a, b] = [sentinel("F1", { name: "a", size: 1 }), sentinel("F1", { name: "b" })];
  const call = form(worker, "same", ["F1"], { a, b });
  await worker.control();
  file(worker, call.id, 1, "abc");
  const { message, ...rest } = (await call.answer).result;
  assert.deepEqual(rest, { same: true, first: "abc", name: "b", type: "text/plain", size: 1 });
  assert.match(message, /has been read already/);
});

test("toTempFile", async (t) => {
  const worker = await start(t);
  const dir = mkdtempSync(path.join(os.tmpdir(), "tunnel-worker-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const inside = path.join(dir, "new");
  const call = form(worker, "temp", ["F1"], { dir: inside, file: sentinel("F1") });
  await worker.control();
  file(worker, call.id, 1, "abc", { name: "../../a b/č.txt" });
  const { result } = await call.answer;
  assert.equal(result.bytesWritten, 3);
  assert.equal(result.content, "abc");
  assert.equal(path.dirname(result.path), inside);
  assert.match(path.basename(result.path), /^\.\._\.\._a_b__\.txt\.[-0-9a-f]+$/);
  const broken = form(worker, "temp", ["F1"], { dir: inside, file: sentinel("F1") });
  await worker.control();
  worker.send({ type: "file", id: broken.id, s: 1 });
  worker.send({ type: "data", id: broken.id, s: 1 }, "abc");
  worker.send({ type: "end", id: broken.id, s: 1, error: "broke off" });
  assert.match((await broken.answer).error.message, /broke off/);
  assert.deepEqual(readdirSync(inside), []);
});

test("files that break off, or never come", async (t) => {
  const worker = await start(t);
  for (const messages of [[{ type: "file" }, { type: "data", bytes: "abc" }], [{ type: "file" }], []]) {
    const call = form(worker, "readError", ["F1"], { file: sentinel("F1") });
    await worker.control();
    for (const { bytes, ...message } of messages) worker.send({ ...message, id: call.id, s: 1 }, bytes);
    worker.send({ type: "end", id: call.id, s: 1, error: "missing" });
    assert.equal((await call.answer).result, "missing");
  }
  const unread = form(worker, "echo", ["F1"], 1);
  worker.send({ type: "end", id: unread.id, s: 1, error: "missing" });
  assert.equal((await unread.answer).result, 1);
});

test("a form whose input is no JSON", async (t) => {
  const worker = await start(t);
  const { answer } = worker.start(task("echo", { files: [] }), "{");
  assert.deepEqual((await answer).error, { message: "Invalid manifest", code: "INVALID_MULTIPART" });
  const { result } = await worker.task("echo", { a: sentinel("F1") }); // no form
  assert.deepEqual(result, { a: { $runnerFile: "File", id: "F1" } });
});

// results

// stream asks for a streamed result and returns { head, bytes, error }.
async function stream(worker, taskId, input) {
  const { answer, result } = worker.start(task(taskId), json(input ?? null));
  const { id, ...head } = await answer;
  return { head, ...(await result.all()) };
}

const octets = { ok: true, stream: true, status: 200, contentType: "application/octet-stream" };

for (const [taskId, want, input] of [
  ["empty", ""],
  ["chunks", "éhi!"],
  ["ownPipe", "own pipe"],
  ["tiny", "x".repeat(5_000), { times: 5_000 }],
  ["later", "abc", { chunks: ["a", "b", "c"], ms: 5 }],
  ["reuse", Array.from({ length: 50 }, (_, i) => String.fromCharCode(65 + (i % 26)).repeat(1000)).join("")],
]) {
  test(`a streamed result: ${taskId}`, async (t) => {
    const { head, bytes, error } = await stream(await start(t), taskId, input);
    assert.deepEqual(head, octets);
    assert.equal(bytes.toString(), want);
    assert.equal(error, undefined);
  });
}

for (const [name, head, want] of [
  ["nothing", {}, octets],
  ["null", { status: null, contentType: null, headers: null }, octets],
  [
    "all",
    { status: 201, contentType: "text/plain", headers: { "X-A": 1, "x-b": ["2", "3"] } },
    { ...octets, status: 201, contentType: "text/plain", headers: ["x-a", "1", "x-b", "2", "x-b", "3"] },
  ],
  [
    "a content type among the headers",
    { contentType: "text/plain", headers: { "Content-Type": "text/css" } },
    { ...octets, contentType: "text/css" },
  ],
]) {
  test(`the head of a streamed result: ${name}`, async (t) => {
    const got = await stream(await start(t), "head", head);
    assert.deepEqual(got.head, want);
    assert.equal(got.bytes.toString(), "x");
  });
}

test("heads that cannot be sent, and results that are no streams", async (t) => {
  const worker = await start(t);
  for (const head of [
    { status: 99 },
    { status: "x" },
    { headers: { "a b": "1" } },
    { headers: { a: "1\n2" } },
    { contentType: "a\r\nb" },
  ]) {
    assert.equal((await worker.task("head", head)).error.code, "EXECUTION_ERROR", json(head));
  }
  assert.deepEqual(await worker.task("noStream"), { ok: true, result: { stream: "text", pipe: 1 } });
  assert.match((await worker.event("stream", 1, { returnPayload: true })).error.message, /only a task can/);
});

test("a source that fails before its first byte is answered like a task that fails", async (t) => {
  const worker = await start(t);
  const { error } = await worker.task("failFirst");
  assert.equal(error.code, "EXECUTION_ERROR");
  assert.match(error.message, /^Error: secret/);
  assert.deepEqual((await worker.task("failFirstOpenly")).error, {
    message: "Sold out",
    code: "INTERNAL_ERROR",
    id: "app.soldOut",
    httpCode: 409,
  });
  assert.match((await worker.task("destroyed")).error.message, /[Pp]remature close/);
  assert.match((await worker.task("throwingPipe")).error.message, /secret/);
  assert.match((await worker.task("onlyObjects")).error.message, /a stream of bytes or text is needed/);
});

test("a source that fails later breaks the stream off, after what it gave", async (t) => {
  const worker = await start(t);
  const { head, bytes, error } = await stream(worker, "failLater");
  assert.deepEqual(head, octets);
  assert.equal(bytes.toString(), "some bytes");
  assert.match(error, /^Error: disk failure/);
  const destroyed = await stream(worker, "destroyedLater");
  assert.equal(destroyed.bytes.toString(), "some");
  assert.match(destroyed.error, /[Pp]remature close/);
  assert.match((await stream(worker, "objects")).error, /a stream of bytes or text is needed/);
});

test("a result goes as far as there is credit", async (t) => {
  const worker = await start(t);
  const { id, result, answer } = worker.start(task("count"), json({ length: 1 << 20, size: 100_000 }));
  result.grant = false;
  await answer;
  await result.atLeast(FIRST);
  await settled(worker);
  assert.equal(result.length, FIRST);
  worker.send({ type: "window", id, size: 5 });
  worker.send({ type: "window", id, size: 6 });
  await result.atLeast(FIRST + 11);
  await settled(worker);
  assert.equal(result.length, FIRST + 11);
  worker.send({ type: "window", id, size: 1 << 20 });
  assert.equal((await result.all()).bytes.length, 1 << 20);
  assert.ok(Math.max(...result.chunks.map(({ length }) => length)) <= MAX_DATA);
});

test("streams take turns, and messages go ahead of them", async (t) => {
  const worker = await start(t);
  worker.output.pause(); // all that can is waiting in the worker then
  const calls = Array.from({ length: 5 }, () => worker.start(task("count"), json({ length: WINDOW, size: FRAME })));
  await marked(worker, "begun");
  worker.input.cork(); // all at once
  for (const { id } of calls) worker.send({ type: "window", id, size: WINDOW - FIRST });
  worker.input.uncork();
  await marked(worker, "granted");
  const small = worker.start(task("add"), json({ a: 1, b: 2 }));
  await marked(worker, "added");
  worker.output.resume();
  await Promise.all(calls.map(({ result }) => result.all()));
  const order = worker.messages.filter(({ type }) => type !== "hello");
  const before = order.slice(0, order.findIndex(({ id, type }) => id === small.id && type === undefined));
  const ahead = before.filter(({ type }) => type === "data").reduce((sum, { n }) => sum + n, 0);
  // What was in the pipe, all first credit, and 128 KiB. All would be 1280 KiB.
  assert.ok(ahead <= 8 * FRAME, `${ahead} bytes went ahead of an answer`);
  const sent = new Map(calls.map(({ id }) => [id, 0]));
  for (const { id } of order.filter(({ type }) => type === "data")) {
    sent.set(id, sent.get(id) + 1);
    const counts = [...sent.values()];
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 2, `messages of each: ${counts}`);
  }
});

test("a stalled result holds up nobody else", async (t) => {
  const worker = await start(t);
  const stalled = worker.start(task("count"), json({ length: 1 << 20, size: FRAME }));
  stalled.result.grant = false;
  const { bytes } = await stream(worker, "count", { length: 10 << 20, size: FRAME });
  assert.equal(bytes.length, 10 << 20);
  assert.deepEqual(await worker.task("add", { a: 1, b: 2 }), { ok: true, result: 3 });
  assert.equal(stalled.result.length, FIRST);
});

test("cancelling a result destroys its source, and ends it", async (t) => {
  const worker = await start(t);
  for (const [taskId, begun] of [["endless", true], ["silent", false], ["lateStream", false]]) {
    const { id, answer, result } = worker.start(task(taskId), json(taskId));
    if (begun) await result.atLeast(1);
    else await settled(worker);
    worker.send({ type: "cancel", id });
    const { ok, stream, error } = await answer;
    assert.deepEqual([ok, stream], begun ? [true, true] : [false, undefined], taskId);
    if (begun) assert.match((await result.all()).error, /Client Closed Request/);
    else assert.equal(error.code, "REQUEST_ABORTED");
    worker.send({ type: "window", id, size: 5 });
    await settled(worker);
    assert.deepEqual((await worker.task("seen")).result, [[taskId, null, false]]);
    const last = worker.messages.filter((message) => message.id === id).at(-1);
    assert.equal(last.type, begun ? "end" : undefined);
  }
});

test("a result while the request still comes", async (t) => {
  const worker = await start(t);
  for (const taskId of ["return", "upper"]) {
    const call = await body(worker, taskId);
    worker.send({ type: "data", id: call.id }, "hello ");
    assert.equal((await call.answer).stream, true);
    await call.result.atLeast(6);
    worker.send({ type: "data", id: call.id }, "world");
    worker.send({ type: "end", id: call.id });
    const { bytes, error } = await call.result.all();
    assert.equal(bytes.toString(), taskId === "upper" ? "HELLO WORLD" : "hello world");
    assert.equal(error, undefined);
  }
  const random = randomBytes(3 << 20);
  const call = await body(worker, "return");
  await upload(worker, call.id, 0, random);
  assert.ok((await call.result.all()).bytes.equals(random));
});

for (const [name, end] of [
  ["drain", (worker) => worker.send({ type: "drain" })],
  ["the end of the pipe", (worker) => worker.input.end()],
]) {
  test(`${name} waits for results`, async (t) => {
    const worker = await start(t);
    const call = worker.start(task("later"), json({ chunks: ["a", "b", "c"], ms: 50 }));
    call.result.grant = false;
    await settled(worker);
    end(worker);
    assert.deepEqual(await call.result.all(), { bytes: Buffer.from("abc"), error: undefined });
    assert.equal(await worker.exit, 0);
  });
}

test("a server that has gone gets no more than it asked for", async (t) => {
  const worker = await start(t);
  const call = worker.start(task("count"), json({ length: 1 << 20, size: FRAME }));
  call.result.grant = false;
  await call.result.atLeast(FIRST);
  const upload = await body(worker, "text");
  worker.input.end();
  const { bytes, error } = await call.result.all();
  assert.equal(bytes.length, FIRST);
  assert.match(error, /the server has gone/);
  assert.match((await upload.answer).error.message, /the server has gone/);
  assert.equal(await worker.exit, 0);
});

test("the last bytes are not lost", async (t) => {
  const worker = await start(t);
  worker.output.pause();
  const call = worker.start(task("count"), json({ length: FIRST, size: 1000 }));
  worker.input.end();
  await once(worker.process, "exit"); // of a process whose answers nobody has read
  worker.output.resume();
  assert.deepEqual((await call.result.all()).bytes.length, FIRST);
  assert.equal(await worker.exit, 0);
});

test("idempotent must name tasks", () => {
  const { createWorkerListener } = require("..");
  for (const [idempotent, message] of [
    ["a", /is not an array/],
    [{}, /is not an array/],
    [["b"], /"b", which is no task/],
    [[1], /1, which is no task/],
  ]) {
    assert.throws(() => createWorkerListener({ tasks: { a() {} }, idempotent }), message);
  }
});
