"use strict";

// Which runtime this is, and whether it is one that the tests know.

const { bun, deno, node } = process.versions;

const OLDEST = { node: "20.0", bun: "1.3", deno: "2.9" };

const name = bun ? "bun" : deno ? "deno" : "node"; // the two say that they are a Node.js, too
const version = bun ?? deno ?? node;
const isNode = name === "node";
const isBun = name === "bun";
const isDeno = name === "deno";

// Runtime as it is called in the hello: Node.js writes its version with a v.
const runtime = name === "node" ? `node v${version}` : `${name} ${version}`;

// refusal returns why this runtime cannot be a worker, undefined if it can.
function refusal() {
  if (!isOlder(version, OLDEST[name])) return undefined;
  return `${runtime} cannot run a worker: it takes Node.js 20, Bun 1.3 or Deno 2.9, or later`;
}

function isOlder(version, oldest) {
  const [major, minor] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = oldest.split(".").map(Number);
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}

module.exports = { isNode, isBun, isDeno, refusal, runtime };
