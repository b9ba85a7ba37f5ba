"use strict";

const assert = require("node:assert/strict");
const { execFileSync, spawnSync } = require("node:child_process");
const path = require("node:path");
const { test } = require("node:test");
const { startModule, startWorker } = require("./worker.js");

const start = (t, options) => startModule(t, "tasks.mjs", options);
const ok = (result) => (result === undefined ? { ok: true } : { ok: true, result });

// A private error has a message for the log and a code that is not the protocol's.
function assertPrivate(answer, message) {
  assert.equal(answer.ok, false);
  assert.deepEqual(Object.keys(answer.error), ["message", "code"]);
  assert.equal(answer.error.code, "EXECUTION_ERROR");
  assert.match(answer.error.message, message);
}

test("hello", async (t) => {
  const { hello, process: child } = await start(t);
  assert.equal(hello.type, "hello");
  assert.equal(hello.wire, 1);
  assert.equal(hello.pid, child.pid);
  assert.equal(hello.runtime, `node ${process.version}`);
  assert.ok(hello.tasks.includes("add"));
  assert.deepEqual(hello.events, ["notify", "rename", "inPlace", "fail"]);
  assert.equal(hello.auth, true);
  assert.deepEqual(hello.schemas, { add: { type: "object", required: ["a", "b"] } });
});

test("tasks", async (t) => {
  const worker = await start(t);
  assert.deepEqual(await worker.task("add", { a: 5, b: 3 }), ok(8));
  assert.deepEqual(await worker.task("addLater", { a: 5, b: 3 }), ok(8));
  assert.deepEqual(await worker.task("thenable", 7), ok(7));
  assert.deepEqual(await worker.task("nothing", 1), ok());
  assert.deepEqual(await worker.task("function"), ok());
  assert.deepEqual(await worker.task("typeOf"), ok("undefined"));
  for (const value of [
    null,
    false,
    0,
    "",
    [],
    {},
    'ключ 😀\u2028\n"\\\u0000',
    { a: [1.5, -0.25, 1e21, { b: null }] },
  ]) {
    assert.deepEqual(await worker.task("echo", value), ok(value));
  }
  for (const id of ["none", "toString", "__proto__", "constructor"]) {
    assert.deepEqual(await worker.task(id, 1), {
      ok: false,
      error: { message: `Task ${id} not found`, code: "NOT_FOUND" },
    });
  }
  for (const text of ["", "{", "1 2"]) {
    const { answer } = worker.start({ type: "task", taskId: "echo" }, text);
    assert.deepEqual((await answer).error, { message: "Invalid JSON body", code: "INVALID_JSON" });
  }
});

test("errors", async (t) => {
  const worker = await start(t);
  assertPrivate(await worker.task("fail"), /^Error: secret\n {4}at /);
  assertPrivate(await worker.task("failLater"), /^Error: secret\n {4}at /);
  assertPrivate(await worker.task("failString"), /^secret string$/);
  assertPrivate(await worker.task("failUndefined"), /^undefined$/);
  assertPrivate(await worker.task("failOdd"), /^\[Object: null prototype\] \{\}$/);
  assertPrivate(await worker.task("failObject"), /^\{ code: 'E1', detail: 'no database' \}$/);
  const caused = await worker.task("failCause");
  assertPrivate(caused, /^Error: top\n {4}at .*tasks\.mjs[^]*\[cause\]: Error: inner\n[^]*code: 'E2'/);
  assert.doesNotMatch(caused.error.message, /node:internal|\[stdin\]/, "frames of the application");
  assertPrivate(await worker.task("failUnseen"), /revoked/);
  assertPrivate(await worker.task("failUnseenLater"), /revoked/);
  assertPrivate(await worker.task("failUnseenInStream"), /revoked/);
  assertPrivate(await worker.task("failCode"), /^Error: secret/);
  assertPrivate(await worker.task("exposeFalse"), /^Error: secret/);
  assertPrivate(await worker.task("exposeCycle"), /^Error: Cycle[^]*cannot be sent: TypeError: Converting circular/);
  assertPrivate(await worker.task("bigint"), /BigInt/);
  assertPrivate(await worker.task("cycle"), /circular/);
  const exposed = async (id) => (await worker.task(id)).error;
  const code = "INTERNAL_ERROR";
  assert.deepEqual(await exposed("expose"), {
    message: "Too many",
    code,
    id: "app.quota",
    data: { limit: 3 },
    httpCode: 422,
  });
  assert.deepEqual(await exposed("exposeStatus"), { message: "Gone", code: "EGONE", httpCode: 410 }); // the server knows no such code
  assert.deepEqual(await exposed("exposeId"), { message: "Sold out", code, id: "app.soldOut" });
  assert.deepEqual(await exposed("exposeCode"), { message: "Gone away", code: "REQUEST_ABORTED" });
  assert.deepEqual(await exposed("exposeBare"), { message: "Bare", code, httpCode: 500 });
});

test("context", async (t) => {
  const worker = await start(t);
  const request = {
    requestId: "r-1",
    method: "POST",
    url: "/b/task/context?x=1",
    basePath: "/b",
    identity: { user: "é" },
  };
  const headers = "host\nh\nempty\n\nx\ncafé";
  assert.deepEqual(await worker.task("context", 1, { ...request, headers, remote: "[::1]:80" }), {
    ok: true,
    result: { id: "context", ...request, remoteAddress: "::1", headers: { host: "h", empty: "", x: "café", "x-runner-request-id": "r-1" } },
  });
  assert.deepEqual(await worker.task("context"), ok({ id: "context", headers: {} }));
  for (const [remote, remoteAddress] of [["192.0.2.1:80", "192.0.2.1"], ["::1", "::1"], ["@", undefined]]) {
    assert.equal((await worker.task("context", 1, { remote })).result.remoteAddress, remoteAddress, remote);
  }
  // Children do not find the pipes, neither by name nor by number.
  assert.deepEqual(await worker.task("env"), ok({ here: null, child: "null" }));
});

test("events", async (t) => {
  const worker = await start(t);
  const payload = { name: "ada" };
  const back = { returnPayload: true };
  assert.deepEqual(await worker.event("notify", payload), ok());
  assert.deepEqual(await worker.event("notify", payload, back), ok(payload));
  assert.deepEqual(await worker.event("notify", undefined, back), ok());
  assert.deepEqual(await worker.event("rename", payload), ok());
  assert.deepEqual(await worker.event("rename", payload, back), ok({ name: "ADA" }));
  assert.deepEqual(await worker.event("inPlace", payload, back), ok({ name: "ADA" }));
  assertPrivate(await worker.event("fail", payload), /^Error: secret/);
  assert.deepEqual((await worker.event("none")).error, { message: "Event none not found", code: "NOT_FOUND" });
});

test("authenticate", async (t) => {
  const worker = await start(t);
  const auth = (value, more) => worker.auth({ headers: `host\nh\nauthorization\n${value}`, ...more });
  const unauthorized = { ok: false, error: { message: "Unauthorized", code: "UNAUTHORIZED" } };
  assert.deepEqual(await auth("yes"), ok());
  assert.deepEqual(
    await auth("ada", { method: "GET", url: "/b/discovery?q=1&q=a%20b" }),
    ok({ user: "ada", method: "GET", url: "/b/discovery?q=1&q=a%20b", path: "/b/discovery", q: ["1", "a b"] }),
  );
  assert.deepEqual(await auth("no"), unauthorized);
  assert.deepEqual(await worker.auth({}), unauthorized);
  assert.deepEqual(await auth("teapot"), unauthorized);
  assert.deepEqual(await auth("broken"), unauthorized);
  assert.equal((await auth("unseen")).error.code, "EXECUTION_ERROR");
  assert.deepEqual(await auth("cycle"), unauthorized);
  assert.deepEqual(await auth("ada", { url: "//" }), unauthorized); // no URL
  assert.deepEqual(await auth("banned"), { ok: false, error: { message: "You are banned", code: "FORBIDDEN" } });
  assert.match(worker.stderr, /the database is down/);
});

test("cancel", async (t) => {
  const worker = await start(t);
  const call = async (taskId) => {
    const { id, answer } = worker.start({ type: "task", taskId });
    worker.send({ type: "ping", id }); // which is answered when the call runs
    await worker.control();
    worker.send({ type: "cancel", id });
    if (taskId === "abortLate") await worker.task("release");
    return answer;
  };
  const { result } = await call("abort");
  assert.equal(result.name, "AbortError");
  assert.equal(result.message, "Client Closed Request");
  assert.equal(result.aborted, true);
  assert.deepEqual((await call("abortThrows")).error, { message: "Client Closed Request", code: "REQUEST_ABORTED" });
  assert.equal((await call("abortLate")).result, true, "a signal that is asked for after the cancellation");
  worker.send({ type: "cancel", id: 1 }); // has been answered
  worker.send({ type: "cancel", id: 999 }); // never was
  assert.deepEqual(await worker.task("add", { a: 1, b: 2 }), ok(3));
});

test("ping, and types of later versions", async (t) => {
  const worker = await start(t);
  worker.send({ type: "window", id: 5 }, "some bytes");
  worker.send({ type: "ping", id: 4 });
  assert.deepEqual(await worker.control(), { type: "pong", id: 4 });
});

for (const [name, end] of [
  ["drain", (worker) => worker.send({ type: "drain" })],
  ["the end of the pipe", (worker) => worker.input.end()],
]) {
  test(`${name} waits for the calls that run, and for nothing else`, async (t) => {
    const worker = await start(t);
    await worker.task("server");
    const running = [worker.task("drained"), worker.task("big", { length: 10 << 20 })];
    end(worker);
    const [drained, big] = await Promise.all(running);
    assert.deepEqual(drained, ok());
    assert.equal(big.result.length, 10 << 20);
    assert.equal(await worker.exit, 0);
  });

  test(`${name} ends an idle worker`, async (t) => {
    const worker = await start(t);
    await worker.task("server");
    end(worker);
    assert.equal(await worker.exit, 0);
  });
}

test("after drain calls are refused", async (t) => {
  const worker = await start(t);
  const running = worker.task("drained");
  worker.send({ type: "drain" });
  const late = worker.start({ type: "task", taskId: "add" }, "{}").answer;
  assert.equal((await late).error.code, "WORKER_UNAVAILABLE");
  assert.deepEqual(await running, ok());
  assert.equal(await worker.exit, 0);
});

test("a server that does not listen any more ends the worker", async (t) => {
  const worker = await start(t);
  worker.output.destroy();
  worker.task("big", { length: 10 << 20 });
  worker.task("server");
  assert.equal(await worker.exit, 0);
  assert.equal(worker.stderr, "");
});

for (const [name, text, reason] of [
  ["a line that is no JSON", "{oops}\n", /a line that is no JSON object: "\{oops\}"/],
  ["too many bytes", `{"type":"task","id":1,"taskId":"echo","n":${2 ** 31}}\n`, /2147483648 bytes announced/],
  ["a call without an id", '{"type":"task","taskId":"echo"}\n', /without an id/],
  ["an id that is no integer", '{"type":"task","taskId":"echo","id":"1"}\n', /without an id/],
]) {
  test(`protocol error: ${name}`, async (t) => {
    const worker = await start(t);
    worker.input.write(text);
    assert.equal(await worker.exit, 70);
    assert.match(worker.stderr, reason);
  });
}

test("what tasks and their children print gets nowhere near the answers", async (t) => {
  const worker = await start(t);
  const text = '{"id":1,"ok":true}\nhalf a li';
  const calls = Array.from({ length: 200 }, (_, i) => worker.task("add", { a: i, b: 1 }));
  const printed = worker.task("print", { text, times: 5_000 });
  assert.deepEqual(
    await Promise.all(calls),
    Array.from({ length: 200 }, (_, i) => ok(i + 1)),
  );
  assert.deepEqual(await printed, ok(5_000));
  await worker.end();
  // The two print at the same time, and the child adds what --print prints of its own.
  assert.equal(worker.stdout.length, 10_000 * text.length + "true\n".length);
});

test("many calls at once, large and small", async (t) => {
  const worker = await start(t);
  const inputs = Array.from({ length: 2_000 }, (_, i) => ({
    i,
    text: (i % 3 ? "a" : "é").repeat(i % 100 ? i % 50 : 1 << 20),
  }));
  const answers = await Promise.all(inputs.map((input) => worker.task("echo", input)));
  assert.deepEqual(answers, inputs.map(ok));
});

test("an input of 50 MiB, there and back", async (t) => {
  const worker = await start(t);
  const text = "é".repeat(25 << 20);
  const { result } = await worker.task("echo", text);
  assert.ok(result === text);
});

test("a server that reads slowly", async (t) => {
  const worker = await start(t);
  worker.output.pause();
  const calls = Array.from({ length: 100 }, () => worker.task("big", { length: 1 << 20 }));
  const { output } = worker; // it fills, and then the worker has to wait
  while (output.readableLength < output.readableHighWaterMark) await new Promise(setImmediate);
  worker.output.resume();
  for (const { result } of await Promise.all(calls)) assert.equal(result.length, 1 << 20);
});

test("stdio: what is printed goes to stderr", async (t) => {
  const worker = await startWorker(t, ["listen.js"], { stdio: true });
  assert.deepEqual(await worker.task("log", "hello"), ok("hello"));
  worker.input.end();
  assert.equal(await worker.exit, 0);
  assert.match(worker.stderr, /^log hello\ninfo hello\nwrite hello\n/);
});

test("a program of its own, with a Map", async (t) => {
  const worker = await startWorker(t, ["listen.js"]);
  assert.deepEqual(worker.hello.tasks, ["log", "grow", "drain"]);
  assert.deepEqual(worker.hello.events, []);
  assert.equal(worker.hello.auth, false);
  assert.equal("schemas" in worker.hello, false);
  assert.deepEqual(await worker.auth({}), { ok: false, error: { message: "Unauthorized", code: "UNAUTHORIZED" } });
  const grown = worker.task("grow", "new");
  assert.deepEqual((await worker.control()).tasks, ["log", "grow", "drain", "new"]);
  await grown;
  assert.deepEqual(await worker.task("new"), ok("new"));
  assert.deepEqual(await worker.task("drain"), ok("drained"));
  assert.equal(await worker.exit, 0);
});

test("without go-tunnel", () => {
  const { stderr, status } = spawnSync(process.execPath, ["listen.js"], {
    cwd: path.join(__dirname, "fixtures"),
    encoding: "utf8",
    env: { ...process.env, TUNNEL_IPC: undefined },
  });
  assert.equal(status, 1);
  assert.match(stderr, /Error: TUNNEL_IPC is not set: .* go-tunnel has to start it/);
});

test("sources that cannot be served", () => {
  const { createWorkerListener } = require("..");
  for (const [source, message] of [
    [undefined, /needs \{ tasks, events \}/],
    [{}, /needs \{ tasks, events \}/],
    [{ tasks: [] }, /needs \{ tasks, events \}/],
    [{ tasks: { a: 1 } }, /tasks\["a"\] is not a function/],
    [{ tasks: {}, events: 1 }, /events is neither/],
    [{ tasks: {}, authenticate: true }, /authenticate is not a function/],
    [{ tasks: {} }, /TUNNEL_IPC is not set/],
  ]) {
    assert.throws(() => createWorkerListener(source), message);
  }
});

test("import finds the named export", () => {
  const code =
    'import { createWorkerListener } from "@bluelibs/tunnel-worker"; console.log(typeof createWorkerListener)';
  const cwd = path.join(__dirname, ".."); // a package may import itself by its name
  const out = execFileSync(process.execPath, ["--input-type=module", "--eval", code], { cwd, encoding: "utf8" });
  assert.equal(out, "function\n");
});
