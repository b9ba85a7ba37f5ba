"use strict";

// What app.js is without and the suite of the Go client needs: files, streams and an async context. goclient_test.go
// has the same in Go.

const { createHash } = require("node:crypto");
const { Readable, Transform } = require("node:stream");
const { globals, r, useExposureContext } = require("@bluelibs/runner");
const { errors } = require("./app");

const tenant = r
  .asyncContext("goclient.tenant")
  .serialize((value) => `T:${value}`)
  .parse((text) => text.slice(2))
  .build();

// about reads a file, or any stream, to its end.
async function about(stream) {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    hash.update(chunk);
  }
  return { size, hash: hash.digest("hex") };
}

async function describe(file) {
  const { name, type, size, lastModified, extra } = file;
  const { stream } = await file.resolve();
  return { meta: { name, type, size, lastModified, extra }, bytes: await about(stream) };
}

const task = (name, run) => r.task(`goclient.${name}`).run(run).build();

const tasks = [
  task("whose", async () => tenant.use()),
  task("file", async (input) => describe(input)),
  task("files", async ({ note, first, more }) => {
    const described = [];
    for (const file of [first, ...more]) described.push(await describe(file));
    return { note, described };
  }),
  task("refuseFile", async () => errors.quota.throw({ limit: 3 })),
  task("fileBack", async ({ file }) => {
    const { stream } = await file.resolve();
    return { stream, contentType: file.type };
  }),
  task("received", async () => about(useExposureContext().req)),
  task("upper", async () => {
    const transform = (chunk, _encoding, done) => done(null, chunk.toString().toUpperCase());
    return { stream: useExposureContext().req.pipe(new Transform({ transform })), contentType: "text/plain" };
  }),
  task("download", async ({ size }) => ({
    stream: Readable.from(
      (function* () {
        for (let left = size; left > 0; left -= 65536) yield Buffer.alloc(Math.min(left, 65536), "x");
      })(),
      { objectMode: false },
    ),
    status: 203,
    contentType: "text/x-letters",
    headers: { "x-size": String(size) },
  })),
];

const tunnel = r
  .resource("goclient.tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({ mode: "server", transport: "http", tasks }))
  .build();

module.exports = { items: [tenant, ...tasks, tunnel] };
