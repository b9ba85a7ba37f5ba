"use strict";

// The tasks of the conformance kit that move bytes, see protocol/protocoltest: for app.js and tasks.mjs alike.

const { createHash } = require("node:crypto");
const { Readable, Transform, pipeline } = require("node:stream");

async function sum(stream) {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: hash.digest("hex") };
}

async function upload({ files, read }) {
  const results = [];
  for (const key of read) {
    const file = files[key];
    const { stream } = await file.resolve();
    const { name, type } = file;
    results.push({ name, type, ...(await sum(stream)) });
  }
  return results;
}

function duplex(body) {
  const upper = new Transform({
    transform(chunk, _encoding, done) {
      done(null, chunk.map((byte) => (byte >= 97 && byte <= 122 ? byte - 32 : byte)));
    },
  });
  pipeline(body, upper, () => {}); // what goes wrong ends upper, whose reader hears of it
  return { stream: upper, contentType: "text/plain" };
}

function stream({ size, fail, ...head }) {
  const letters = Buffer.alloc(64 << 10, "x");
  async function* generate() {
    for (let left = size; left > 0; left -= letters.length) yield letters.subarray(0, left);
    if (fail) throw new Error("secret detail of a source");
  }
  return { ...head, stream: Readable.from(generate()) };
}

module.exports = { body: sum, duplex, stream, upload };
