"use strict";

const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const path = require("node:path");
const { test } = require("node:test");
const { refusal, runtime } = require("../lib/runtime.js");

// load runs the file in a process that says it is another runtime, and returns what that is and why it is refused.
function load(versions) {
  const script = `
    Object.defineProperty(process, "versions", { value: ${JSON.stringify(versions)} });
    const { refusal, runtime } = require(${JSON.stringify(path.join(__dirname, "../lib/runtime.js"))});
    console.log(JSON.stringify([runtime, refusal() ?? null]));`;
  return JSON.parse(execFileSync(process.execPath, ["--eval", script], { encoding: "utf8" }));
}

test("a runtime is named and, where it is too old, refused", () => {
  assert.equal(runtime, `node ${process.version}`);
  assert.equal(refusal(), undefined);
  for (const [versions, name, isTaken] of [
    [{ node: "20.0.0" }, "node v20.0.0", true],
    [{ node: "100.1.2" }, "node v100.1.2", true],
    [{ node: "19.9.0" }, "node v19.9.0", false],
    [{ node: "26.3.0", bun: "1.3.0" }, "bun 1.3.0", true],
    [{ node: "26.3.0", bun: "1.10.0" }, "bun 1.10.0", true],
    [{ node: "26.3.0", bun: "2.0.0" }, "bun 2.0.0", true],
    [{ node: "24.3.0", bun: "1.2.23" }, "bun 1.2.23", false],
    [{ node: "26.3.0", deno: "2.9.0" }, "deno 2.9.0", true],
    [{ node: "26.3.0", deno: "2.8.3" }, "deno 2.8.3", false],
  ]) {
    const why = isTaken ? null : `${name} cannot run a worker: it takes Node.js 20, Bun 1.3 or Deno 2.9, or later`;
    assert.deepEqual(load(versions), [name, why]);
  }
});
