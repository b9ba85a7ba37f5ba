"use strict";

// Runs the real Runner clients against any server of the protocol that serves the tasks and events of app.js:
//
//   node clients.js http://127.0.0.1:1234/__runner secret [typed] [bytes] [strict]
//
// With typed the server's application is a Runner one, with all of full.js; with bytes it takes files and streams, and
// with strict also those checks that only our servers are for.

const assert = require("node:assert/strict");
const {
  createHttpClient,
  createHttpMixedClient,
  createHttpSmartClient,
  globals,
  Serializer,
} = require("@bluelibs/runner");
const { errors } = require("./app");
const { byteChecks } = require("./byte-checks");
const { pointType, typedChecks, typedErrors } = require("./typed-checks");

const [baseUrl, token, ...more] = process.argv.slice(2);
if (!baseUrl || !token || more.some((word) => !["typed", "bytes", "strict"].includes(word))) {
  console.error("usage: node clients.js BASE_URL TOKEN [typed] [bytes] [strict]");
  process.exit(2);
}

const registered = [errors, typedErrors].flatMap((some) => Object.values(some));
const errorRegistry = new Map(registered.map((error) => [error.id, error]));

// Every way in which 5.5.0 sends JSON. createExposureFetch itself is not exported: createClient is its public name.
const clients = {
  universal: createHttpClient,
  fetch: ({ baseUrl: url, ...rest }) => globals.tunnels.http.createClient({ url, ...rest }),
  smart: createHttpSmartClient, // chunked bodies
  mixed: createHttpMixedClient,
  "mixed, forced smart": (config) => createHttpMixedClient({ ...config, forceSmart: true }),
};

// Those of them that send Node.js files and streams.
const byteClients = ["smart", "mixed", "mixed, forced smart"];

const serializer = new Serializer();
serializer.addType(pointType);

const create = (factory, options) =>
  factory({
    baseUrl,
    auth: { token },
    serializer,
    timeoutMs: 30_000, // a server that hangs is a failure too
    errorRegistry,
    ...options,
  });

// Reads the error that a promise rejects with.
async function rejection(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  assert.fail(`expected an error, got ${JSON.stringify(value)}`);
}

function assertTunnelError(error, { code, message, ...rest }) {
  assert.equal(error.name, "TunnelError");
  assert.equal(error.code, code);
  assert.equal(error.message, message);
  for (const [key, value] of Object.entries(rest)) assert.deepEqual(error[key], value, key);
}

const assertInternal = (error) =>
  assertTunnelError(error, {
    code: "INTERNAL_ERROR",
    message: "Internal Error",
    id: undefined,
    data: undefined,
    httpCode: undefined,
  });

// A typed error must come back as the local, registered one. is() says so: a TunnelError never passes it.
function assertTyped(error, helper, { data, message, httpCode }) {
  assert.ok(helper.is(error), `not a ${helper.id}: ${error}`);
  assert.deepEqual(error.data, data);
  assert.equal(error.message, message);
  assert.equal(error.httpCode, httpCode);
}

const quota = { data: { limit: 3 }, message: "Quota of 3 exceeded", httpCode: undefined };
const teapot = { data: { pot: "blue" }, message: "I am a blue pot", httpCode: 418 };

const echoes = {
  "nested JSON": { a: [1, -2.5, 1e21, { b: { c: [[], {}, [null]] } }], d: true, e: false, "": " " },
  // U+2028 and U+2029 are plain characters in JSON, but line ends to the readline of Node 24 and later.
  unicode: { "ключ": "čeština 日本語 😀 <>&'\"/\\ \u0000\u001f\u007f\u2028\u2029" },
  "an empty object": {},
  "an empty array": [],
  "an empty string": "",
  null: null,
  zero: 0,
  false: false,
  "an own input key": { input: { input: 1 }, payload: 2 },
  "a large string": "0123456789ž".repeat(18_000),
};

function checks(name, factory) {
  const client = create(factory);
  const list = {
    add: async () => assert.equal(await client.task("app.tasks.add", { a: 5, b: 3 }), 8),
    greet: async () => assert.equal(await client.task("app.tasks.greet", { name: "Ada" }), "Hello, Ada!"),
    "echo without input": async () => assert.equal(await client.task("app.tasks.echo"), undefined),
    "nothing is undefined": async () => assert.equal(await client.task("app.tasks.nothing"), undefined),
    "an odd id": async () => assert.equal(await client.task("app/tasks/odd id%"), "odd"),
    "50 calls at once": async () => {
      const numbers = Array.from({ length: 50 }, (_, i) => i);
      const sums = await Promise.all(numbers.map((n) => client.task("app.tasks.add", { a: n, b: 1000 })));
      assert.deepEqual(sums, numbers.map((n) => n + 1000));
    },

    "event with payload": async () =>
      assert.equal(await client.event("app.events.notify", { message: "hi" }), undefined),
    "event without payload": async () => assert.equal(await client.event("app.events.notify"), undefined),
    "event without hooks": async () => assert.equal(await client.event("app.events.bare", { n: 1 }), undefined),
    "parallel event": async () => assert.equal(await client.event("app.events.parallel", { n: 1 }), undefined),
    eventWithResult: async () => {
      const payload = { message: "hi", nested: [{ n: 1 }] };
      assert.deepEqual(await client.eventWithResult("app.events.notify", payload), payload);
    },

    "plain failure": async () => assertInternal(await rejection(client.task("app.tasks.fail"))),
    "plain failure of an event": async () => assertInternal(await rejection(client.event("app.events.fail"))),
    "typed error": async () => assertTyped(await rejection(client.task("app.tasks.quota")), errors.quota, quota),
    "typed error with httpCode": async () =>
      assertTyped(await rejection(client.task("app.tasks.teapot")), errors.teapot, teapot),
    "typed error of an event": async () =>
      assertTyped(await rejection(client.event("app.events.quota")), errors.quota, quota),
    "typed error without a registry": async () => {
      const plain = create(factory, { errorRegistry: undefined });
      assertTunnelError(await rejection(plain.task("app.tasks.teapot")), {
        code: "INTERNAL_ERROR",
        id: errors.teapot.id,
        ...teapot,
      });
    },

    "wrong token": async () => {
      const stranger = create(factory, { auth: { token: `${token}x` } });
      assertTunnelError(await rejection(stranger.task("app.tasks.add", { a: 1, b: 2 })), {
        code: "UNAUTHORIZED",
        message: "Unauthorized",
      });
    },
    "unlisted id": async () =>
      assertTunnelError(await rejection(client.task("app.tasks.hidden")), {
        code: "FORBIDDEN",
        message: "Task app.tasks.hidden not exposed",
      }),
  };
  for (const [name, value] of Object.entries(echoes)) {
    list[`echo of ${name}`] = async () => assert.deepEqual(await client.task("app.tasks.echo", value), value);
  }
  if (more.includes("typed")) Object.assign(list, typedChecks(client, (options) => create(factory, options), rejection));
  if (more.includes("bytes") && byteClients.includes(name)) {
    const stranger = create(factory, { auth: { token: `${token}x` } });
    Object.assign(list, byteChecks(client, stranger, rejection, more.includes("strict")));
  }
  return list;
}

async function main() {
  let passed = 0;
  for (const [clientName, factory] of Object.entries(clients)) {
    for (const [name, check] of Object.entries(checks(clientName, factory))) {
      try {
        await check();
      } catch (error) {
        console.error(`${clientName}: ${name}:`, error);
        process.exit(1);
      }
      passed++;
    }
  }
  console.log(`ok ${passed} checks`);
  process.exit(0); // idle keep-alive connections are of no interest
}

main();
