"use strict";

// Text for the server's log of whatever was thrown.

const { inspect } = require("node:util");
const { isNativeError } = require("node:util/types");

const MAX_LENGTH = 16 << 10; // characters
const DEPTH = 4; // causes of causes
const WIDTH = 5; // errors of an AggregateError
const OBJECT = { depth: 2, maxArrayLength: 20, maxStringLength: 1_000 };
// A frame of Node.js, Bun or Deno itself, or of this runtime where it came by the standard input.
const FOREIGN_FRAME = /\n +at[^\n]*(?:[( ](?:node|ext|native):|\[stdin\]:|\$deno\$stdin\.cjs:|\[eval\d*\]:)[^\n]*/g;

// describe has an error's stack without frames that are not the application's, its plain properties, such as its code,
// and its causes. What else hangs on an error may be large, or secret.
function describe(error) {
  try {
    return text(error, 0).slice(0, MAX_LENGTH);
  } catch {
    return "an error that cannot be printed";
  }
}

function text(error, depth) {
  if (typeof error === "string") return error;
  if (!isNativeError(error) && typeof error?.stack !== "string") return inspect(error, OBJECT);
  let described = String(error.stack || error).replace(FOREIGN_FRAME, "");
  const { file, line, column } = error.position ?? {}; // of what Bun cannot compile
  if (file !== undefined) described += `\n    at ${file}:${line}:${column}`;
  described += properties(error, described);
  if (depth === DEPTH) return described;
  const more = [error.cause, ...(Array.isArray(error.errors) ? error.errors.slice(0, WIDTH) : [])];
  for (const [i, inner] of more.entries()) {
    if (inner !== undefined) described += `\n${i === 0 ? "[cause]" : "[error]"}: ${text(inner, depth + 1)}`;
  }
  return described;
}

function properties(error, stack) {
  const plain = Object.entries(error).filter(([name, value]) => {
    if (name === "message" || name === "name" || stack.includes(`[${value}]: `)) return false;
    return ["string", "number", "boolean"].includes(typeof value);
  });
  return plain.length === 0 ? "" : ` ${inspect(Object.fromEntries(plain), { breakLength: Infinity, ...OBJECT })}`;
}

module.exports = { describe };
