"use strict";

// Sends the values of dialect-values.js through the real fetch client of Runner 5 to a server whose tasks are Go
// functions, and checks that they come back deeply equal. Errors and arrays with holes do not even from the serializer
// itself; what that makes of them is expected then.
//
//   node dialect-clients.js http://127.0.0.1:1234/__runner secret serializer|ejson

const assert = require("node:assert/strict");
const { globals } = require("@bluelibs/runner");
const { dialects, isDeepStrictEqual } = require("./dialects");
const { ofSerializer, ofEJSON } = require("./dialect-values");

const [url, token, dialect] = process.argv.slice(2);
const serializer = dialects[dialect];
const client = globals.tunnels.http.createClient({ url, auth: { token }, serializer, timeoutMs: 30_000 });

// What a Go struct makes of typed values: see the task in serializer_test.go.
const typed = {
  serializer: async () => {
    const out = await client.task("app.tasks.booking", {
      at: new Date("2024-01-02T03:04:05.678Z"),
      amount: 2n ** 80n,
      count: 41n,
      ratio: Infinity,
      scores: new Map([["a", 1], ["b", 2]]),
      tags: new Set(["x", "y"]),
      data: Uint8Array.from([1, 2, 3]),
      where: new URL("http://h/p"),
      note: undefined,
      any: [1n, { at: new Date(1) }],
    });
    assert.deepEqual(out, {
      at: new Date("2024-01-02T04:04:05.678Z"),
      amount: 2n ** 81n,
      count: 42,
      ratio: -Infinity,
      scores: { a: 2, b: 4 },
      tags: ["y", "x"],
      data: Buffer.from([3, 2, 1]),
      where: new URL("http://h/p"),
      note: null,
      any: [1n, { at: new Date(1) }],
    });
    for (const input of [{ at: 5n }, { amount: 1 / 2 }, { count: 2n ** 63n }, { scores: new Map([[1, 2]]) }, { tags: new Map() }, { data: [256] }]) {
      await rejects(client.task("app.tasks.booking", input), "INVALID_INPUT");
    }
    await rejects(client.task("app.tasks.echo", /(a+)+/), "INVALID_JSON");
    await rejects(client.task("app.tasks.echo", [{ a: /(a|ab)*/ }]), "INVALID_JSON");
  },
  ejson: async () => {
    const sent = { at: new Date(5), data: Uint8Array.from([0, 7, 255]), ratio: NaN };
    const out = await client.task("app.tasks.booking", sent);
    assert.deepEqual(out.at, new Date(3_600_005));
    assert.equal(out.data, "255,7,0"); // which is all that EJSON ever makes of binary data
    assert.deepEqual(out.ratio, NaN);
    await rejects(client.task("app.tasks.booking", { at: /x/ }), "INVALID_INPUT");
  },
};

async function rejects(promise, code) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.code, code);
    return true;
  });
}

async function main() {
  let passed = 0;
  for (const [name, value] of Object.entries(dialect === "ejson" ? ofEJSON : ofSerializer)) {
    const echo = await client.task("app.tasks.echo", value);
    const own = serializer.parse(serializer.stringify(value));
    const exact = isDeepStrictEqual(own, value);
    assert.ok(exact || /error|hole|everything/.test(name), name);
    assert.ok(isDeepStrictEqual(echo, exact ? value : own), `${name}: ${serializer.stringify(echo)}`);
    passed++;
  }
  await typed[dialect]();
  console.log(`ok ${passed} values`);
  process.exit(0); // idle keep-alive connections are of no interest
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
