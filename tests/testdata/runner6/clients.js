"use strict";

// Runs the clients of Runner 6 against any server that serves a part of app.js:
//
//   node clients.js http://127.0.0.1:1234/__runner '{"token":"secret","keys":{…},"lanes":["hmac"],"bytes":true}'
//
// The keys are those to sign with, lanes those that the server checks.

const assert = require("node:assert/strict");
const { Readable } = require("node:stream");
const { text } = require("node:stream/consumers");
const runner = require("@bluelibs/runner");
const { errors } = require("./thrown");

const { createHttpClient, createHttpMixedClient, createHttpSmartClient, createNodeFile, r, resources, Serializer, tags } = runner;
const [baseUrl, options] = process.argv.slice(2);
const { token, keys, lanes: checked, bytes } = JSON.parse(options);
const auth = { token };

let passed = 0;
async function check(name, run) {
  try {
    await run();
  } catch (error) {
    console.error(`${name}:`, error);
    process.exit(1);
  }
  passed++;
}

// rejection reads the error that a promise rejects with.
async function rejection(promise) {
  const value = await promise.then(
    (value) => ({ value }),
    (error) => ({ error }),
  );
  if (value.error === undefined) assert.fail(`expected an error, got ${JSON.stringify(value.value)}`);
  return value.error;
}

const values = {
  object: { a: [1, -2.5, 1e21, null], b: "čeština 😀 \u2028", 10: 1, 9: 2 },
  date: new Date(5),
  map: new Map([["a", 1n]]),
  set: new Set([undefined, NaN]),
  regexp: /a+/gi,
  symbol: Symbol.for("a"),
  error: Object.assign(new Error("told"), { code: "E" }),
  undefined: undefined,
};

// plain makes an error comparable: two are never deeply equal.
const plain = (value) => (value instanceof Error ? { name: value.name, message: value.message, code: value.code } : value);

async function direct(name, factory, registry) {
  const client = factory({ baseUrl, auth, serializer: new Serializer(), errorRegistry: registry, timeoutMs: 30_000 });
  await check(`${name}: add`, async () => assert.equal(await client.task("app.tasks.add", { a: 5, b: 3 }), 8));
  for (const [kind, value] of Object.entries(values)) {
    await check(`${name}: ${kind}`, async () => assert.deepEqual(plain(await client.task("app.tasks.echo", value)), plain(value)));
  }
  await check(`${name}: nothing`, async () => assert.equal(await client.task("app.tasks.nothing"), undefined));
  await check(`${name}: typed error`, async () => {
    const error = await rejection(client.task("app.tasks.throw", "coded"));
    assert.ok(registry.get("app.errors.coded").is(error), `${error}`);
    assert.equal(error.message, "Coded");
    assert.equal(error.httpCode, 422);
  });
  await check(`${name}: private error`, async () => {
    const error = await rejection(client.task("app.tasks.throw", "Error"));
    assert.equal(error.message, "Internal Error");
  });
  await check(`${name}: event`, async () => assert.equal(await client.event("app.events.bare", { a: 1 }), undefined));
  await check(`${name}: eventWithResult`, async () => {
    assert.deepEqual(await client.eventWithResult("app.events.bare", { a: 1 }), { a: 1 });
  });
  await check(`${name}: not listed`, async () => {
    assert.equal((await rejection(client.task("app.tasks.hidden"))).code, "FORBIDDEN");
  });
  for (const lane of checked) {
    await check(`${name}: the lane ${lane} without a token`, async () => {
      assert.equal((await rejection(client.task(`app.tasks.${lane}Task`, 1))).code, "UNAUTHORIZED");
    });
  }
  if (!bytes || name === "plain") return;
  await check(`${name}: file`, async () => {
    const file = createNodeFile({ name: "a.txt", type: "text/plain" }, { buffer: Buffer.from("content") }, "F1");
    const [uploaded] = await client.task("app.tasks.upload", { files: { a: file }, read: ["a"] });
    assert.equal(uploaded.size, 7);
  });
  await check(`${name}: duplex`, async () => {
    const answer = await client.task("app.tasks.duplex", Readable.from([Buffer.from("abc")]));
    assert.equal(await text(answer), "ABC");
  });
}

// routed calls through a runtime whose lanes all lead to the server.
async function routed(preset) {
  const communicator = r
    .resource("communicator")
    .dependencies({ store: resources.store, serializer: resources.serializer }) // whose errors it rebuilds
    .init(r.rpcLane.httpClient({ client: preset, baseUrl, auth }))
    .build();
  const authOf = {
    hmac: { secret: keys.secret },
    header: { mode: "jwt_hmac", secret: keys.secret, header: "X-Lane-Token" },
    ed: { mode: "jwt_asymmetric", privateKey: keys.ed, privateKeyKid: "new" },
    es: { mode: "jwt_asymmetric", algorithm: "ES256", privateKey: keys.es },
    rs: { mode: "jwt_asymmetric", algorithm: "RS256", privateKey: keys.rs },
  };
  const lanes = Object.fromEntries(["open", ...checked].map((name) => [name, r.rpcLane(name).build()]));
  const on = (name) => [tags.rpcLane.with({ lane: lanes[name] })];
  const remote = (name, lane) => r.task(name).tags(on(lane)).run(async () => assert.fail("it ran here")).build();
  const tasks = Object.fromEntries(
    ["add", "echo", "throw"].map((name) => [name, remote(name, "open")]).concat(
      checked.map((lane) => [`${lane}Task`, remote(`${lane}Task`, lane)]),
    ),
  );
  const events = { bare: r.event("bare").tags(on("open")).build() };
  if (checked.includes("hmac")) events.hmacEvent = r.event("hmacEvent").tags(on("hmac")).build();
  const bindings = Object.entries(lanes).map(([name, lane]) => ({
    lane,
    communicator,
    ...(authOf[name] && { auth: authOf[name] }),
  }));
  const topology = r.rpcLane.topology({ profiles: { caller: { serve: [] } }, bindings });
  const app = r
    .resource("app")
    .register([
      communicator,
      ...Object.values(errors),
      ...Object.values(tasks),
      ...Object.values(events),
      runner.rpcLanesResource.with({ profile: "caller", topology, mode: "network" }),
    ])
    .build();
  const runtime = await runner.run(app, { logs: { printThreshold: null }, shutdownHooks: false });
  const name = `routed, ${preset}`;
  await check(`${name}: add`, async () => assert.equal(await runtime.runTask(tasks.add, { a: 5, b: 3 }), 8));
  await check(`${name}: typed error`, async () => {
    const error = await rejection(runtime.runTask(tasks.throw, "coded"));
    assert.ok(errors.coded.is(error), `${error}`);
  });
  await check(`${name}: event`, async () => runtime.emitEvent(events.bare, { a: 1 }));
  if (events.hmacEvent) await check(`${name}: signed event`, async () => runtime.emitEvent(events.hmacEvent, { a: 1 }));
  for (const lane of checked) {
    for (const [kind, value] of Object.entries(values)) {
      await check(`${name}: ${kind} on the lane ${lane}`, async () => {
        const result = await runtime.runTask(tasks[`${lane}Task`], value);
        if (lane === "hmac") assert.deepEqual(plain(result.served), plain(value));
        else assert.equal(result, "served");
      });
    }
  }
  const registry = new Map(runtime.store.errors);
  return { runtime, registry };
}

async function main() {
  let registry;
  for (const preset of ["fetch", "mixed", "smart"]) ({ registry } = await routed(preset));
  await direct("plain", createHttpClient, registry);
  await direct("smart", createHttpSmartClient, registry);
  await direct("mixed", createHttpMixedClient, registry);
  await direct("mixed, forced smart", (config) => createHttpMixedClient({ ...config, forceSmart: true }), registry);
  console.log(`ok ${passed} checks`);
  process.exit(0);
}

main();
