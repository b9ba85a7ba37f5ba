"use strict";

// A plain worker, as someone would write it by hand: JSON lines on stdin and stdout, no dependencies. It serves the
// tasks and events of app.js (less app.tasks.requestId: a plain worker is not told the request id), and some tasks
// that misbehave on purpose. It ends when stdin has ended and the calls in flight are done.

const readline = require("node:readline");

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function fail(message, fields) {
  throw Object.assign(new Error(message), { fields });
}

// Typed errors carry code, id, data and perhaps httpCode; a plain Error has none of these fields.
const typed = (message, id, data, httpCode) => fail(message, { code: "INTERNAL_ERROR", id, data, httpCode });
const quota = () => typed("Quota of 3 exceeded", "app.errors.quota", { limit: 3 });

const tasks = {
  "app.tasks.add": ({ a, b }) => a + b,
  "app.tasks.greet": ({ name }) => `Hello, ${name}!`,
  "app.tasks.echo": (input) => input,
  "app.tasks.fail": () => fail("secret detail of the database"),
  "app.tasks.nothing": () => undefined,
  "app.tasks.sleep": async ({ ms }) => {
    await wait(ms);
    return ms;
  },
  "app.tasks.quota": quota,
  "app.tasks.teapot": () => typed("I am a blue pot", "app.errors.teapot", { pot: "blue" }, 418),
  // httpCode goes out as it came: to refuse a bad one is the other side's job.
  "app.tasks.coded": ({ httpCode }) => typed(`Coded ${httpCode}`, "app.errors.coded", { httpCode }, httpCode),
  "app.tasks.cancelled": () => fail("Client Closed Request", { code: "REQUEST_ABORTED" }),
  "app.tasks.function": () => fail("a function cannot be sent"), // JSON.stringify would silently drop it
  "app/tasks/odd id%": () => "odd",
  "app.tasks.hidden": () => "hidden",

  // Faults.
  "app.tasks.crash": () => process.exit(3),
  "app.tasks.noise": ({ lines }) => {
    for (let i = 0; i < lines; i++) {
      // latin1, so that \xff is that byte and no valid UTF-8
      process.stdout.write(`${foreign[i % foreign.length]}\n`, "latin1");
    }
    return "done";
  },
  "app.tasks.bigline": ({ bytes }) => {
    process.stdout.write(`${"x".repeat(bytes)}\n`);
    return "done";
  },
  "app.tasks.twice": (_input, id) => {
    send({ id, ok: true, result: "first" });
    return "second";
  },
  "app.tasks.stderr": ({ lines }) => {
    for (let i = 1; i <= lines; i++) console.error(`stderr line ${i}`);
    return "done";
  },
  "app.tasks.never": () => new Promise(() => {}),
  "app.tasks.pid": () => process.pid,
  "app.tasks.huge": ({ bytes }) => "x".repeat(bytes),
};

const events = {
  "app.events.notify": () => {},
  "app.events.log": () => {},
  "app.events.fail": () => fail("secret detail of the hook"),
  "app.events.quota": quota,
  // An event's result is its payload as the handlers left it. Without one the payload stands as it was sent.
  "app.events.rename": (payload) => ({ ...payload, name: payload.name.toUpperCase() }),
  "app.events.parallel": () => {},
  "app.events.bare": () => {},
};

// What a library may print between two answers. None of these lines is an answer to a call in flight.
const foreign = [
  "a line of some library",
  '{"id":999999,"ok":true,"result":1}',
  '{"level":"info","msg":"JSON, but no answer"}',
  '{"ok":true,"result":1}',
  '{"id":0,"ok":true}',
  '{"id":-1,"ok":true}',
  '{"id":1.5,"ok":true}',
  '{"id":null,"ok":false,"error":{"message":"whose?"}}',
  '{"id":999998',
  "[1,2,3]",
  '"a string"',
  "42",
  "null",
  "",
  "   ",
  "\x00\x00\x00",
  'a\x00b{"id":999997,"ok":true}',
  "\xff\xfe no UTF-8",
  "\x1b[31mred\x1b[0m",
  "a line with a carriage return\r",
];

function send(message) {
  console.log(JSON.stringify(message));
}

async function call({ type, id, taskId, eventId, input, payload }) {
  const [kind, name, handlers, value] =
    type === "task" ? ["Task", taskId, tasks, input] : ["Event", eventId, events, payload];
  try {
    if (!Object.hasOwn(handlers, name)) fail(`${kind} ${name} not found`, { code: "NOT_FOUND" });
    send({ id, ok: true, result: await handlers[name](value, id) });
  } catch (error) {
    send({ id, ok: false, error: { message: error.message, ...(error.fields ?? { code: "EXECUTION_ERROR" }) } });
  }
}

// A line that is not JSON ends this process: then the framing on the other side is broken, and a test should see it.
readline.createInterface({ input: process.stdin }).on("line", (line) => call(JSON.parse(line)));
