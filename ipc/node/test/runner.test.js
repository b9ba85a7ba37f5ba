"use strict";

// A Runner application behind a worker does what it does behind its own exposure: the same requests go to both.

const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const path = require("node:path");
const { before, after, test } = require("node:test");
const { startModule } = require("./worker.js");

const fixture = path.join(__dirname, "fixtures/runner-app.js");
const start = (t, options) => startModule(t, fixture, options);

let reference; // { process, url }

before(async () => {
  const child = spawn(process.execPath, [fixture, "expose"], { stdio: ["pipe", "pipe", "inherit"] });
  const [port] = await once(child.stdout, "data");
  reference = { child, url: `http://127.0.0.1:${Number(port)}/__runner` };
});

after(() => reference.child.stdin.end());

// askReference sends a request to the application's own exposure.
async function askReference(kind, id, body, headers) {
  const response = await fetch(`${reference.url}/${kind}/${encodeURIComponent(id)}`, {
    method: "POST",
    headers: { "x-runner-token": "secret", "content-type": "application/json", ...headers },
    body,
  });
  return { status: response.status, body: await response.text() };
}

// askWorker does with the body what the Go side does, sends the call, and makes of the answer what Go makes of it.
async function askWorker(worker, kind, id, body, headers) {
  const value = body === undefined ? undefined : JSON.parse(body);
  const member = kind === "task" ? "input" : "payload";
  const has = typeof value === "object" && value !== null && Object.hasOwn(value, member);
  const given = has ? value[member] : kind === "task" ? value : undefined;
  const { answer } = worker.start(
    {
      type: kind,
      [`${kind}Id`]: id,
      requestId: headers["x-runner-request-id"],
      method: "POST",
      url: `/__runner/${kind}/${encodeURIComponent(id)}`,
      basePath: "/__runner",
      headers: Object.entries(headers).flat().join("\n"),
      ...(value?.returnPayload ? { returnPayload: true } : {}),
    },
    given === undefined ? undefined : JSON.stringify(given),
  );
  const { id: _, ...envelope } = await answer;
  if (envelope.ok) return { status: 200, body: JSON.stringify(envelope) };
  let { error } = envelope;
  const open = error.id !== undefined || error.httpCode !== undefined || error.code in statuses;
  if (!open) error = { message: "Internal Error", code: "INTERNAL_ERROR" };
  return { status: error.httpCode ?? statuses[error.code] ?? 500, body: JSON.stringify({ ok: false, error }) };
}

// timeless takes out when the rate limit ends: the two were not asked in the same millisecond.
const timeless = ({ status, body }) => ({ status, body: body.replace(/(?<=again after )[^"]+/g, "later") });

const statuses = { INVALID_JSON: 400, PARALLEL_EVENT_RETURN_UNSUPPORTED: 400, NOT_FOUND: 404, REQUEST_ABORTED: 499 };

const typed = (type, value) => ({ __type: type, value });
const marker = typed("Undefined", null);
const deep = (n) => JSON.parse("[".repeat(n) + "]".repeat(n));
const json = JSON.stringify;
const rid = { "x-runner-request-id": "r-1" };
const context = (map) => ({ "x-runner-context": typeof map === "string" ? map : json(map) });

const inputs = [
  null,
  true,
  0,
  "",
  "č 😀\u2028\ud800",
  [],
  {},
  { b: 1, 2: 2, 1: 1 },
  { constructor: 1, prototype: 2, a: 1 },
  marker,
  [marker, { a: marker }],
  typed("NonFiniteNumber", "NaN"),
  typed("BigInt", "12345678901234567890"),
  typed("Date", "2024-01-02T03:04:05.678Z"),
  typed("Date", 0),
  typed("RegExp", { pattern: "a+", flags: "gi" }),
  typed("Map", [[1, typed("Set", [1, 1])]]),
  typed("Symbol", { kind: "For", key: "k" }),
  typed("Error", { name: "TypeError", message: "m", stack: "s", customFields: { a: 1 } }),
  typed("URL", "http://example.test/a"),
  typed("URLSearchParams", "a=1&a=2"),
  typed("Uint8Array", [1, 2, 255]),
  typed("Buffer", [1, 2, 255]),
  typed("Point", [1, 2]),
  typed("Nope", 1),
  typed("RegExp", { pattern: "(a+)+", flags: "" }),
  typed("Date", "never"),
  { __type: "Date" },
  { __type: 1, value: 2 },
  { "$runner.escape::__type": "Date", value: 1 },
  { $runnerFile: "File", id: "F1" },
  { __graph: true, version: 1, root: { __ref: "a" }, nodes: { a: { kind: "array", value: [1] } } }, // not at the root
  deep(999),
  deep(1000),
  deep(1001),
];

const cases = [
  ...inputs.map((input, i) => [`echo ${i}`, "task", "app.tasks.echo", json({ input })]),
  ["echo: no body", "task", "app.tasks.echo", undefined],
  ["echo: a bare document", "task", "app.tasks.echo", '{"a":1}'],
  ["echo: a bare value", "task", "app.tasks.echo", "[1]"],
  ["echo: a bare typed value", "task", "app.tasks.echo", json(typed("Date", 0))],
  ["typeOf: Date", "task", "app.tasks.typeOf", json({ input: typed("Date", 0) })],
  ["typeOf: own type", "task", "app.tasks.typeOf", json({ input: typed("Point", [1, 2]) })],
  ["typeOf: undefined", "task", "app.tasks.typeOf", json({ input: marker })],

  ..."values undefined function cycle invalidDate validated badResult slow limited limited"
    .split(" ")
    .map((name, i) => [`${name} ${i}`, "task", `app.tasks.${name}`, "{}"]),
  ["validated: good", "task", "app.tasks.validated", '{"input":1}'],
  ..."fail failString failUndefined failForged plain coded helped mute noData unregistered badData cancelled"
    .split(" ")
    .map((name) => [name, "task", `app.tasks.${name}`, "{}"]),
  ..."200number 404number 500number 599number 99number 600number 404.5number 404string"
    .split(" ")
    .map((code) => [`httpCode ${code}`, "task", `app.tasks.instance ${code}`, "{}"]),

  ["request", "task", "app.tasks.request", "{}", { "x-own": "é" }],
  ["no context", "task", "app.tasks.seen", "{}"],
  ["contexts", "task", "app.tasks.seen", "{}", context({ "app.user": json(typed("Date", 0)), "app.tenant": "T:blue" })],
  ["context: undefined", "task", "app.tasks.seen", "{}", context({ "app.user": json(marker) })],
  ["context: one cannot be read", "task", "app.tasks.seen", "{}", context({ "app.user": "{", "app.tenant": "T:b" })],
  ["context: its parse throws", "task", "app.tasks.seen", "{}", context({ "app.user": "1", "app.tenant": "blue" })],
  ["context: no string", "task", "app.tasks.seen", "{}", context({ "app.user": 1, "app.tenant": null })],
  ["context: unknown", "task", "app.tasks.seen", "{}", context({ "app.other": "1", "app.user": "1" })],
  ["context: valid", "task", "app.tasks.seen", "{}", context({ "app.strict": '"ok"' })],
  ["context: refused by its schema", "task", "app.tasks.seen", "{}", context({ "app.strict": '"no"' })],
  ["context: malformed", "task", "app.tasks.seen", "{}", context("{oops")],
  ["context: null", "task", "app.tasks.seen", "{}", context("null")],
  ["context: an array", "task", "app.tasks.seen", "{}", context("[1]")],
  ["context: a Map", "task", "app.tasks.seen", "{}", context(typed("Map", [["app.user", "1"]]))],
  ["context: empty", "task", "app.tasks.seen", "{}", context("")],
  [
    "context: the request's own",
    "task",
    "app.tasks.request",
    "{}",
    context({ "platform.node.ctx.exposureRequest": "1" }),
  ],
  ["context: not accepted", "task", "app.tasks.noContext", "{}", context({ "app.user": "1" })],

  ["noHook", "event", "app.events.noHook", "{}"],
  ["noHook: returned", "event", "app.events.noHook", json({ payload: typed("Date", 0), returnPayload: true })],
  ["noHook: nothing returned", "event", "app.events.noHook", json({ returnPayload: 1 })],
  ["noHook: bad payload", "event", "app.events.noHook", json({ payload: typed("Nope", 1) })],
  ["noHook: bare value", "event", "app.events.noHook", "5"],
  ["rename", "event", "app.events.rename", json({ payload: { name: "ada" } })],
  ["rename: returned", "event", "app.events.rename", json({ payload: { name: "ada" }, returnPayload: true })],
  ["source", "event", "app.events.source", json({ payload: {}, returnPayload: true })],
  ["seen", "event", "app.events.seen", json({ payload: {}, returnPayload: true }), context({ "app.user": "1" })],
  ["seen: refused", "event", "app.events.seen", json({ payload: {} }), context({ "app.strict": '"no"' })],
  [
    "noContext",
    "event",
    "app.events.noContext",
    json({ payload: {}, returnPayload: true }),
    context({ "app.user": "1" }),
  ],
  ..."fail typed cancelled parallel parallelFail validated"
    .split(" ")
    .map((name) => [`event ${name}`, "event", `app.events.${name}`, '{"payload":{}}']),
  ["parallel: returned", "event", "app.events.parallel", '{"payload":1,"returnPayload":true}'],
  ["parallel: bad payload", "event", "app.events.parallel", json({ payload: typed("Nope", 1), returnPayload: true })],
  ["validated: good", "event", "app.events.validated", '{"payload":1,"returnPayload":true}'],
];

test("the same answers as from the application's own exposure", async (t) => {
  const worker = await start(t);
  for (const [name, kind, id, body, headers] of cases) {
    await t.test(name, async () => {
      const sent = { ...rid, ...headers };
      // fetch refuses what is not latin-1, and Go decodes a header as latin-1 too.
      const want = await askReference(kind, id, body, sent);
      assert.deepEqual(timeless(await askWorker(worker, kind, id, body, sent)), timeless(want));
    });
  }
});

test("hello", async (t) => {
  const { hello } = await start(t);
  const response = await fetch(`${reference.url}/discovery`, { headers: { "x-runner-token": "secret" } });
  const { tasks, events } = (await response.json()).result.allowList;
  assert.deepEqual([hello.tasks, hello.events, hello.auth], [tasks, events, true]);
});

test("hello without a server tunnel", async (t) => {
  const { hello } = await start(t, { env: { NO_TUNNEL: "1" } });
  assert.deepEqual([hello.tasks, hello.events], [null, null]);
});

test("a tunnel whose list changes", async (t) => {
  const worker = await start(t);
  assert.ok(!worker.hello.tasks.includes("app.tasks.late"));
  await worker.task("app.tasks.grow");
  assert.deepEqual(
    (await worker.control()).tasks.slice(0, -1),
    worker.hello.tasks.slice(0, -1).concat("app.tasks.late"),
  );
});

test("unknown ids", async (t) => {
  const worker = await start(t);
  const error = (message) => ({ ok: false, error: { message, code: "NOT_FOUND" } });
  assert.deepEqual(await worker.task("app.none"), error("Task app.none not found"));
  assert.deepEqual(await worker.event("app.none"), error("Event app.none not found"));
});

test("an error that nobody can look at", async (t) => {
  const worker = await start(t);
  assert.match((await worker.task("app.tasks.failUnseen")).error.message, /revoked/);
  assert.deepEqual(await worker.task("app.tasks.echo", 1), { ok: true, result: 1 });
});

test("auth validators", async (t) => {
  const worker = await start(t);
  const url = "/__runner/task/a?x=1";
  const auth = (user) => worker.auth({ url, headers: `x-user\n${user}` });
  assert.deepEqual(await auth("bob"), { ok: true });
  assert.deepEqual(await auth("ada"), {
    ok: true,
    result: { user: "ada", method: "POST", url, path: "/__runner/task/a" },
  });
  assert.deepEqual(await auth("eve"), { ok: false, error: { message: "Unauthorized", code: "UNAUTHORIZED" } });
  assert.deepEqual((await worker.auth({ url: "//" })).error.code, "UNAUTHORIZED");
});

test("cancel", async (t) => {
  const worker = await start(t);
  const cancelled = async (taskId) => {
    const { id, answer } = worker.start({ type: "task", taskId });
    await worker.printed(`${taskId} listens`);
    worker.send({ type: "cancel", id });
    return answer;
  };
  const { result } = await cancelled("app.tasks.abort");
  assert.equal(result.cancellation, true);
  assert.match(result.message, /^Client Closed Request/);
  const { error } = await cancelled("app.tasks.abortThrows");
  assert.deepEqual(error, { message: "Client Closed Request", code: "REQUEST_ABORTED" });
});

test("what this version cannot do says so", async (t) => {
  const worker = await start(t);
  assert.deepEqual(await worker.task("app.tasks.body", 1), { ok: true, result: "" });
});

test("what callers may not see is told to the server, and printed by nobody", async (t) => {
  const worker = await start(t, { env: { LOG_LEVEL: "info" } });
  const { error } = await worker.task("app.tasks.fail");
  assert.match(error.message, /^Error: secret\n {4}at .*runner-app\.js:\d+/);
  assert.doesNotMatch(error.message, /node:internal|\[stdin\]/);
  assert.ok((await worker.task("app.tasks.coded")).error.id);
  await worker.end();
  assert.doesNotMatch(worker.stdout + worker.stderr, /secret/);
  assert.match(worker.stdout, /"level":"error","message":"exposure.task.error"/); // of the one that callers see
});

test("the end disposes the application", async (t) => {
  const worker = await start(t);
  const running = worker.task("app.tasks.slow");
  worker.input.end();
  assert.equal((await running).error.httpCode, 408);
  assert.equal(await worker.exit, 0);
  assert.equal(worker.stderr, "disposed\n");
});
