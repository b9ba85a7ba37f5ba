"use strict";

// What the clients can do only with a server whose application is all of full.js: the checks of clients.js that need
// the serializer and async contexts on the other side.

const assert = require("node:assert/strict");
const { contexts, errors } = require("./full");
const { describe, Point, pointType } = require("./values");

const date = new Date("2024-01-02T03:04:05.678Z");

const roundTrips = {
  Date: date,
  Map: new Map([["a", date], [{ key: 1n }, new Set([1, undefined])]]),
  Set: new Set(["a", 1, 1n, null]),
  BigInt: 2n ** 70n,
  "NaN and Infinity": [NaN, Infinity, -Infinity],
  undefined: { a: undefined, b: [undefined] },
  RegExp: /a(b|c)\/"\u2028/giu,
  "Symbol.for": Symbol.for("a"),
  URL: new URL("https://example.test/a?b=č#c"),
  URLSearchParams: new URLSearchParams("a=1&a=2"),
  Buffer: Buffer.from("Aé\0"),
  "typed array": Int32Array.of(1, -2, 3),
  "an own type": new Point(1, new Map([[1, new Point(2, 3)]])),
  "names of the serializer": { __type: "Date", value: 0, "$runner.escape::a": 1 },
  "a large Map": new Map(Array.from({ length: 5_000 }, (_, i) => [i, { n: BigInt(i) }])),
};

// typedChecks returns the checks for a client. With create it makes another one, which takes contexts along.
function typedChecks(client, create, rejection) {
  const list = {
    "typed error with typed data": async () => {
      const error = await rejection(client.task("full.tasks.throw", "coded, typed data"));
      assert.ok(errors.coded.is(error), `not a ${errors.coded.id}: ${error}`);
      assert.deepEqual(error.data.when, new Date(0));
      assert.deepEqual(error.data.map, new Map([["a", 1n]]));
      assert.ok(Number.isNaN(error.data.nan));
    },
    "timeout of a middleware": async () => {
      const error = await rejection(client.task("full.tasks.timeout"));
      assert.equal(error.httpCode, 408);
      assert.equal(error.id, "runner.errors.middleware.timeout");
    },
    "payload that a hook has changed": async () =>
      assert.deepEqual(await client.eventWithResult("full.events.change", [date]), [date, 1n, undefined]),
    "no contexts": async () => assert.deepEqual(await client.task("full.tasks.contexts"), seen({})),
    contexts: async () => {
      const user = { name: "Ann", since: date };
      const withContexts = create({ contexts: [contexts.user, contexts.tenant] });
      await contexts.user.provide(user, () =>
        contexts.tenant.provide("acme", async () => {
          const want = seen({ user: describe(user), tenant: '"acme"' });
          assert.deepEqual(await withContexts.task("full.tasks.contexts"), want);
          const { contexts: got } = await withContexts.eventWithResult("full.events.contexts", {});
          assert.deepEqual(got, want);
          assert.deepEqual(await withContexts.task("full.tasks.noContexts"), seen({}));
        }),
      );
    },
  };
  for (const [name, value] of Object.entries(roundTrips)) {
    list[`round trip of ${name}`] = async () => assert.deepEqual(await client.task("app.tasks.echo", value), value);
    list[`description of ${name}`] = async () =>
      assert.deepEqual(await client.task("full.tasks.describe", value), describe(value));
  }
  return list;
}

// seen is what full.tasks.contexts returns where there are these.
function seen(values) {
  return Object.keys(contexts).map((name) => [name, values[name] ?? "absent"]);
}

module.exports = { pointType, typedChecks, typedErrors: errors };
