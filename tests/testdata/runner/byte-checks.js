"use strict";

// The checks of clients.js for the clients that send files and streams: the tasks of kit.js.

const assert = require("node:assert/strict");
const { createHash } = require("node:crypto");
const { Readable } = require("node:stream");
const { text } = require("node:stream/consumers");
const { createNodeFile } = require("@bluelibs/runner");
const { errors } = require("./app");

const small = Buffer.from("some text, č");
const large = Buffer.alloc(2 << 20, "0123456789");

const sum = (bytes) => ({ size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });

function chunks(bytes, size = 50_000) {
  const parts = [];
  for (let i = 0; i < bytes.length; i += size) parts.push(bytes.subarray(i, i + size));
  return Readable.from(parts, { objectMode: false });
}

// byteChecks returns the checks for a client; with strict those as well that only our servers are for.
function byteChecks(client, stranger, rejection, strict) {
  const file = (bytes, meta, id) => createNodeFile(meta, { buffer: bytes }, id);
  const streamed = (bytes, meta, id) => createNodeFile(meta, { stream: chunks(bytes) }, id);
  const upload = (files, read = Object.keys(files)) => client.task("kit.upload", { files, read });
  const csv = { name: "a.csv", type: "text/csv" };
  const png = { name: "b.png", type: "image/png" };

  const list = {
    "file from a buffer": async () => assert.deepEqual(await upload({ a: file(small, csv) }), [{ ...csv, ...sum(small) }]),
    "file from a stream": async () => assert.deepEqual(await upload({ a: streamed(small, csv) }), [{ ...csv, ...sum(small) }]),
    "empty file": async () =>
      assert.deepEqual(await upload({ a: file(Buffer.alloc(0), csv) }), [{ ...csv, ...sum(Buffer.alloc(0)) }]),
    "file with an odd name": async () => {
      const meta = { name: 'a "quoted" č.csv', type: "text/csv" };
      assert.deepEqual(await upload({ a: file(small, meta) }), [{ ...meta, ...sum(small) }]);
    },
    "large file": async () => assert.deepEqual(await upload({ a: file(large, csv) }), [{ ...csv, ...sum(large) }]),
    "large file from a stream": async () =>
      assert.deepEqual(await upload({ a: streamed(large, csv) }), [{ ...csv, ...sum(large) }]),
    "several files": async () => {
      const files = { a: file(small, csv, "A"), b: streamed(large, png, "B"), c: file(large, csv, "C") };
      assert.deepEqual(await upload(files), [{ ...csv, ...sum(small) }, { ...png, ...sum(large) }, { ...csv, ...sum(large) }]);
    },
    "several files, read in another order": async () => {
      const files = { a: file(small, csv, "A"), b: streamed(small, png, "B") };
      assert.deepEqual(await upload(files, ["b", "a"]), [{ ...png, ...sum(small) }, { ...csv, ...sum(small) }]);
    },
    "a file that nobody reads": async () => assert.deepEqual(await upload({ a: file(small, csv) }, []), []),
    "a file for a task that fails": async () => {
      const error = await rejection(client.task("app.tasks.teapot", { file: file(small, csv) }));
      assert.ok(errors.teapot.is(error), `not a ${errors.teapot.id}: ${error}`);
      assert.deepEqual(error.data, { pot: "blue" });
    },
    "a file, and a wrong token": async () => {
      const error = await rejection(stranger.task("kit.upload", { files: { a: file(small, csv) }, read: ["a"] }));
      assert.equal(error.code, "UNAUTHORIZED");
    },
    "a file, answered by a stream": async () => {
      const answer = await client.task("kit.stream", { size: 100_000, contentType: "text/plain", file: file(small, csv) });
      assert.equal(await text(answer), "x".repeat(100_000));
    },

    "stream input": async () => assert.deepEqual(await client.task("kit.body", chunks(small)), sum(small)),
    "empty stream input": async () => assert.deepEqual(await client.task("kit.body", Readable.from([])), sum(Buffer.alloc(0))),
    "large stream input": async () => assert.deepEqual(await client.task("kit.body", chunks(large)), sum(large)),
    "stream input that is not read": async () => assert.equal(await client.task("app.tasks.nothing", chunks(small)), undefined),
    "stream input, answered by a stream": async () => {
      assert.equal(await text(await client.task("kit.duplex", chunks(Buffer.from("some text")))), "SOME TEXT");
      assert.equal(await text(await client.task("kit.duplex", chunks(large))), String(large));
    },
    // Clients of 5.5.0 do not rebuild typed errors of calls with streams.
    "stream input for a task that fails": async () => {
      const error = await rejection(client.task("app.tasks.teapot", chunks(small)));
      assert.deepEqual([error.code, error.httpCode, error.id], ["INTERNAL_ERROR", 418, errors.teapot.id]);
    },
    "stream input, and a wrong token": async () => {
      const error = await rejection(stranger.task("kit.body", chunks(small)));
      assert.equal(error.code, "UNAUTHORIZED");
    },
  };
  if (!strict) return list;
  return Object.assign(list, {
    // Runner's own server may have opened the file before it knows this.
    "file without a type": async () => {
      const type = "application/octet-stream";
      assert.deepEqual(await upload({ a: file(small, { name: "a" }) }), [{ name: "a", type, ...sum(small) }]);
    },
    // createNodeFile gives the same id to all files. The first part is the file.
    "two files of the default id": async () => {
      const [got] = await upload({ a: file(small, csv), b: file(large, csv) }, ["a"]);
      assert.deepEqual(got, { ...csv, ...sum(small) });
    },
    "a large file that nobody reads": async () => assert.deepEqual(await upload({ a: file(large, csv) }, []), []),
    "large files, read in another order": async () => {
      const files = { a: file(large, csv, "A"), b: streamed(large, csv, "B") };
      const both = { ...csv, ...sum(large) };
      assert.deepEqual(await upload(files, ["b", "a"]), [both, both]);
    },
    "a streamed answer that breaks off": async () => {
      const answer = await client.task("kit.stream", { size: 10, fail: true, file: file(small, csv) });
      await rejection(text(answer));
    },
  });
}

module.exports = { byteChecks };
