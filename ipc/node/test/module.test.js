"use strict";

// What files main.js can serve: every kind of module, each written to a temporary folder.

const assert = require("node:assert/strict");
const { mkdtempSync, rmSync, writeFileSync } = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { after, test } = require("node:test");
const { startModule } = require("./worker.js");

const folder = mkdtempSync(path.join(os.tmpdir(), "tunnel-worker-"));
after(() => rmSync(folder, { recursive: true }));

const write = (name, source) => writeFileSync(path.join(folder, name), source);
const runtime = "{ runTask() {}, emitEvent() {}, store: {} }"; // looks like one, and is none

for (const [name, source] of Object.entries({
  "named.mjs": "export const tasks = { a: (x) => x }",
  "default.mjs": "export default { tasks: { a: (x) => x } }",
  "awaits.mjs": "await null; export default { tasks: { a: (x) => x } }",
  "promise.mjs": "export default Promise.resolve({ tasks: { a: (x) => x } })",
  "function.mjs": "export default async () => ({ tasks: { a: (x) => x } })",
  "map.mjs": "export default new Map([['a', (x) => x]])",
  "maps.mjs": "export const tasks = new Map([['a', (x) => x]])",
  "helper.mjs": "export const tasks = { a: (x) => x }; export default function () { throw new Error('not for this') }",
  "runtime.mjs": "export const runtime = async () => ({ tasks: { a: (x) => x } })",
  "common.cjs": "module.exports = { tasks: { a: (x) => x } }",
  "plain.js": "exports.tasks = { a: (x) => x }",
  "partly.cjs": "const tasks = { a: (x) => x }; module.exports = { tasks, events: {}, authenticate: () => true }",
  "promise.cjs": "module.exports = Promise.resolve({ tasks: { a: (x) => x } })",
  "function.cjs": "module.exports = async () => ({ tasks: { a: (x) => x } })",
  "compiled.cjs": "exports.__esModule = true; exports.default = { tasks: { a: (x) => x } }",
  "compiled function.cjs": "exports.__esModule = true; exports.default = () => ({ tasks: { a: (x) => x } })",
  "listens.cjs": `require(${JSON.stringify(path.join(__dirname, ".."))}).createWorkerListener({ tasks: { a: (x) => x } })`,
})) {
  test(`serves ${name}`, async (t) => {
    write(name, source);
    const worker = await startModule(t, name, { cwd: folder });
    assert.deepEqual(worker.hello?.tasks, ["a"], worker.stderr);
    assert.equal(worker.hello.auth, name === "partly.cjs"); // nothing of module.exports is lost
    assert.deepEqual(await worker.task("a", 7), { ok: true, result: 7 });
    assert.equal(await worker.end(), 0);
  });
}

for (const [name, source, message] of [
  ["none.mjs", undefined, /cannot load .*none\.mjs:\n.*Cannot find module/],
  ["syntax.mjs", "export const", /cannot load .*syntax\.mjs:\n.*syntax\.mjs:1\n[^]*SyntaxError/],
  ["throws.mjs", "throw new Error('no database')", /cannot load .*:\nError: no database/],
  ["rejects.cjs", "module.exports = Promise.reject(new Error('no database'))", /cannot load .*:\nError: no database/],
  ["nothing.mjs", "export const task = 1", /exports nothing to serve: export const tasks = /],
  ["names.mjs", "export const app = 1; export default undefined", /\. It exports app\n/],
  ["names.cjs", "exports.__esModule = true; exports.app = 1; exports.start = () => {}", /\. It exports app, start\n/],
  ["empty.mjs", "export {}", /\. It exports nothing\n/],
  ["void.mjs", "export const runtime = Promise.resolve()", /\. Its runtime is undefined, which run\(\) of Runner does not/],
  ["result.cjs", "exports.runtime = (async () => ({ order: 1 }))()", /\. Its runtime is an object with order, which run/],
  ["other.mjs", "export const runtime = () => 1", /\. What its runtime\(\) returns is not what run\(\) of/],
  ["nothing.cjs", "module.exports = async () => null", /exports nothing to serve/],
  ["wrong.mjs", "export const tasks = { a: 1 }", /tasks\["a"\] is not a function/],
  ["never.mjs", "await new Promise(() => {}); export const tasks = {}", /came to its end before it was ready/],
  ["no runner.mjs", `export default ${runtime}`, /the copy of @bluelibs\/runner .* cannot be found: pass it/],
]) {
  test(`refuses ${name}`, async (t) => {
    if (source !== undefined) write(name, source);
    const worker = await startModule(t, name, { cwd: folder });
    assert.equal(await worker.exit, 1);
    assert.match(worker.stderr, message);
  });
}
