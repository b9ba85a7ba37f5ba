"use strict";

// What a worker tells of RPC lanes, from the parts of an application that it reads: no copy of Runner 6 is needed.

const assert = require("node:assert/strict");
const { createHash, generateKeyPairSync } = require("node:crypto");
const { test } = require("node:test");
const { aliases, isHashOf, laneRules, secondDoors } = require("../lib/lanes.js");

const runner = { tags: { rpcLane: { extract: (tags) => tags[0] } } };

// store has tasks and events by id, each with the lane that tags it; of 6.4 unless told otherwise.
function store(tasks, events = {}, more = { trackTaskAbortController() {} }) {
  const entries = (kind, all) =>
    new Map(Object.entries(all).map(([id, lane]) => [id, { [kind]: { id, tags: lane ? [{ lane }] : [] } }]));
  return { tasks: entries("task", tasks), events: entries("event", events), ...more };
}

const billing = { id: "billing" };
const open = { id: "open" };

// entry is that of a resource which serves these ids.
const entry = (bindings, serveTaskIds, serveEventIds = [], serve = []) => ({
  config: { topology: { bindings, profiles: { server: { serve } } } },
  value: { serveTaskIds, serveEventIds },
});

test("a secret", () => {
  const bindings = [{ lane: billing, auth: { secret: "s" } }, { lane: open }, { lane: { id: "none" }, auth: { mode: "none" } }];
  const served = [entry(bindings, ["app.a", "app.b"], ["app.e"])];
  assert.deepEqual(laneRules(runner, store({ "app.a": billing, "app.b": open }, { "app.e": billing }), served), [
    { lane: "billing", header: "authorization", skew: 30_000, secret: "s", tasks: ["app.a"], events: ["app.e"] },
  ]);
});

test("what a binding says", () => {
  const rules = (auth, more) => laneRules(runner, store({ a: billing }, {}, more), [entry([{ lane: billing, auth }], ["a"])])[0];
  const auth = { mode: "jwt_hmac", secret: "s", produceSecret: "p", consumeSecret: "c", header: "X-Lane", clockSkewMs: 1500.9 };
  assert.deepEqual(rules(auth), { lane: "billing", header: "x-lane", skew: 1500, secret: "c", tasks: ["a"], events: [] });
  assert.equal(rules({ secret: "s", clockSkewMs: 0 }).skew, 0);
  assert.equal(rules({ secret: "s" }, {}).unbound, true, "before 6.4 there is no hash");
  assert.equal(rules({ secret: "s" }).unbound, undefined);
});

const pem = ({ publicKey }) => publicKey.export({ type: "spki", format: "pem" });
const ed = generateKeyPairSync("ed25519");
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });

test("keys", () => {
  const rules = (auth) =>
    laneRules(runner, store({ a: billing }), [entry([{ lane: billing, auth: { mode: "jwt_asymmetric", ...auth } }], ["a"])])[0];
  assert.deepEqual(rules({ publicKey: pem(ed) }).key, pem(ed));
  const other = generateKeyPairSync("ed25519");
  const byKid = rules({ publicKeysByKid: { old: pem(other), new: pem(ed) } });
  assert.equal(byKid.key, pem(other), "the first one is for tokens without a kid");
  assert.deepEqual(byKid.keys, { old: pem(other), new: pem(ed) });
  const pkcs1 = rsa.publicKey.export({ type: "pkcs1", format: "pem" });
  assert.equal(rules({ algorithm: "RS256", publicKey: pkcs1 }).key, pem(rsa), "in the one form that the server reads");
  assert.equal(rules({ algorithm: "ES256", publicKey: pem(ec) }).key, pem(ec));
});

test("what cannot be checked is refused, with what would be lost", () => {
  const rules = (auth) => laneRules(runner, store({ "app.a": billing }), [entry([{ lane: billing, auth }], ["app.a"])]);
  for (const auth of [
    { mode: "jwt_asymmetric", publicKey: pem(rsa) },
    { mode: "jwt_asymmetric", algorithm: "ES256", publicKey: pem(generateKeyPairSync("ec", { namedCurve: "P-384" })) },
    { mode: "jwt_asymmetric", algorithm: "HS512", publicKey: pem(ed) },
    { mode: "jwt_asymmetric", publicKey: "no key" },
    { mode: "jwt_asymmetric" },
    { mode: "of a later version", secret: "hush" },
    { secret: "" },
    { secret: "hush", clockSkewMs: NaN },
  ]) {
    assert.throws(() => rules(auth), (error) => {
      assert.match(error.message, /the tokens of the lane billing cannot be checked here: .*anybody.*app\.a.*Config\.Authenticate/s);
      assert.ok(!error.message.includes("hush"));
      return true;
    });
  }
});

test("lanes that are only called are nobody's business here", () => {
  const theirs = { id: "theirs" };
  const bindings = [{ lane: open }, { lane: theirs, auth: { produceSecret: "p" } }];
  assert.deepEqual(laneRules(runner, store({ a: open, b: theirs }), [entry(bindings, ["a"])]), []);
  assert.deepEqual(laneRules(runner, store({ b: theirs }), [entry(bindings, [])]), []);
  assert.deepEqual(laneRules(runner, store({}), [{ config: undefined, value: undefined }]), []);
});

test("applyTo counts more than a tag", () => {
  const auth = { secret: "s" };
  const byId = { id: "byId", applyTo: ["a", { id: "e" }, "absent"] };
  const byFunction = { id: "byFunction", applyTo: ({ id, path }) => id === "b" && path === "b" };
  const bindings = [{ lane: open }, { lane: byId, auth }, { lane: byFunction, auth }];
  const rules = laneRules(runner, store({ a: open, b: open, c: open }, { e: open }), [entry(bindings, ["a", "b", "c"], ["e"])]);
  assert.deepEqual(
    rules.map(({ lane, tasks, events }) => [lane, tasks, events]),
    [
      ["byId", ["a"], ["e"]],
      ["byFunction", ["b"], []],
    ],
  );
});

test("what is served without a lane is refused where lanes have auth", () => {
  const bindings = [{ lane: billing, auth: { secret: "s" } }];
  assert.throws(() => laneRules(runner, store({ a: undefined }), [entry(bindings, ["a"])]), /the lane of a cannot be found/);
});

test("short ids", () => {
  const known = { add: "app.tasks.add", twin: null, tasks: "app.tasks" };
  const lookup = { tryCanonicalId: (name) => known[name] ?? null };
  const names = (taskIds, more, eventIds = []) => aliases({ ...store({}), ...more }, { taskIds, eventIds });
  assert.deepEqual({ ...names(["app.tasks.add", "app.twin"], { lookup }, ["x.tasks", "plain"]) }, { add: "app.tasks.add" });
  assert.equal(names(["app.twin"], { lookup }), undefined);
  assert.equal(names(["app.tasks.add"], {}), undefined, "before 6.2 there are none");
  const tasks = new Map([["add", { task: { id: "app.tasks.add" } }]]);
  assert.deepEqual({ ...names(["add"], { tasks }) }, { "app.tasks.add": "add" }, "but the other way round");
});

test("hashes", () => {
  const hash = createHash("sha256").update("body").digest("base64url");
  assert.equal(isHashOf(hash, "body"), true);
  for (const wrong of ["", "é".repeat(43), `${hash}=`, hash.toLowerCase(), hash.slice(1)]) assert.equal(isHashOf(wrong, "body"), false);
});

test("second doors", () => {
  const listening = (listen, exposure) => ({ config: { exposure: { http: { listen } } }, value: { exposure } });
  assert.deepEqual(secondDoors([listening({ port: 1 }, {}), listening({ host: "h", port: 2 }, {}), listening({ port: 3 }, null)]), [
    "all interfaces, port 1",
    "h, port 2",
  ]);
  assert.deepEqual(secondDoors([{ config: {} }, { config: undefined }]), []);
});
