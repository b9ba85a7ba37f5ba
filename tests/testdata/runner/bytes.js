"use strict";

// The tasks of full.js that move bytes: files of forms, raw bodies, streams, and the response itself.

const { createHash } = require("node:crypto");
const { promises } = require("node:fs");
const { basename } = require("node:path");
const { PassThrough, Readable, Transform } = require("node:stream");
const { buffer, text } = require("node:stream/consumers");
const { finished, pipeline } = require("node:stream/promises");
const { NodeInputFile, r, useExposureContext } = require("@bluelibs/runner");
const { throwing } = require("./thrown");
const { describe } = require("./values");

const task = (name, run) => r.task(`full.tasks.${name}`).run(run).build();

const meta = ({ name, type, size, lastModified, extra }) => describe({ name, type, size, lastModified, extra });
const sum = (bytes) => ({ length: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });

// source makes a stream of chunks that fails at its end if fails is the name of an error of thrown.js.
function source({ chunks = [], fails }) {
  return Readable.from(
    (async function* () {
      yield* chunks;
      await new Promise((resolve) => setImmediate(resolve));
      if (fails) throw throwing[fails]();
    })(),
  );
}

// play does with the response what the steps say: [method, ...arguments] or { status } or { throws } or { wait }.
async function play(response, steps) {
  for (const step of steps) {
    if (Array.isArray(step)) response[step[0]](...step.slice(1));
    if (step.status !== undefined) response.statusCode = step.status;
    if (step.throws !== undefined) throw throwing[step.throws]();
    if (step.wait !== undefined) await new Promise((resolve) => setTimeout(resolve, step.wait));
  }
}

// heard is the text of a stream by its events.
const heard = (stream) =>
  new Promise((resolve, reject) => {
    let all = "";
    stream
      .on("data", (chunk) => (all += chunk))
      .on("end", () => resolve(all))
      .on("error", reject);
  });

// ways are those to read a request.
const ways = {
  Heard: heard,
  Ended: async (req) => {
    await new Promise((resolve) => req.resume().on("end", resolve));
    return "";
  },
  Piped: async (req) => text(req.pipe(new PassThrough())),
  Pipeline: async (req) => {
    const end = new PassThrough();
    await pipeline(req, end);
    return text(end);
  },
  Web: async (req) => text(Readable.toWeb(req)),
  Twice: async (req) => (await text(req)) + (await text(req)),
  Read: async (req) => String(req.read() ?? ""),
  Finished: async (req) => {
    req.resume();
    await finished(req);
    return "";
  },
  Unread: async (req) => {
    await finished(req);
    return "";
  },
  Unhandled: async (req) => {
    req.on("data", () => {});
    return "";
  },
};

// readFiles replaces the files of a value by their texts.
async function readFiles(value, texts) {
  if (value instanceof NodeInputFile) {
    if (!texts.has(value)) texts.set(value, await text((await value.resolve()).stream));
    return `file: ${texts.get(value)}`;
  }
  if (value instanceof Map || value instanceof Set) {
    return new value.constructor(await readFiles([...value], texts));
  }
  const prototype = typeof value === "object" && value !== null ? Object.getPrototypeOf(value) : undefined;
  if (Array.isArray(value) || prototype === Object.prototype || prototype === null) {
    for (const key of Object.keys(value)) value[key] = await readFiles(value[key], texts);
  }
  return value;
}

const tasks = [
  // {file} -> what it is, and its text
  task("file", async ({ file }) => {
    const { stream } = await file.resolve();
    return { text: await text(stream), isFile: file instanceof NodeInputFile, meta: meta(file) };
  }),
  // {file} -> its text, without a wait for what it is
  task("fileStream", async ({ file }) => text(file.stream())),
  // anything -> the same, described, with the texts of the files instead of them
  task("filesInside", async (input) => describe(await readFiles(input, new Map()))),
  // {files} -> their sums, read one after the other, or all at once
  task("filesInTurn", async ({ files }) => {
    const sums = [];
    for (const file of files) sums.push(sum(await buffer((await file.resolve()).stream)));
    return sums;
  }),
  task("filesAtOnce", async ({ files }) =>
    Promise.all(files.map(async (file) => sum(await buffer((await file.resolve()).stream)))),
  ),
  // anything -> "ignored": its files are not read
  task("filesIgnored", async () => "ignored"),
  // {a, b} that are one file -> whether they are the same, and what comes of reading both
  task("fileTwice", async ({ a, b }) => {
    const first = await text(a.stream());
    const second = await b.resolve().then(
      () => "read twice",
      ({ message }) => message,
    );
    return { same: a === b, first, second };
  }),
  // {file, …} -> all beside the file
  task("besideFile", async ({ file, ...rest }) => ({ text: await text(file.stream()), rest: describe(rest) })),
  // {file} -> what toTempFile says
  task("tempFile", async ({ file }) => {
    const { path, bytesWritten } = await file.toTempFile();
    const content = await promises.readFile(path, "utf8");
    await promises.rm(path);
    return { name: basename(path).split(".")[0], bytesWritten, content };
  }),
  // {file, fails} -> reads the file and throws an error of thrown.js
  task("fileThrows", async ({ file, fails }) => {
    if (file) await text(file.stream());
    return Promise.reject(throwing[fails]());
  }),

  // raw body -> its sum, its text, or a part of it
  task("bodySum", async () => sum(await buffer(useExposureContext().req))),
  task("bodyText", async (input) => ({ input: describe(input), text: await text(useExposureContext().req) })),
  task("bodyIgnored", async () => "ignored"),
  task("bodyStopped", async () => {
    for await (const chunk of useExposureContext().req) return chunk.length > 0;
    return false;
  }),
  // raw body -> its text, in each of the ways
  ...Object.entries(ways).map(([way, read]) => task(`body${way}`, () => read(useExposureContext().req))),
  // raw body -> the same in upper case, as it comes
  task("bodyUpper", async () => {
    const upper = new Transform({ transform: (chunk, _, done) => done(null, String(chunk).toUpperCase()) });
    return useExposureContext().req.pipe(upper);
  }),
  // raw body -> what req says about it
  task("bodyRequest", async () => {
    const { req } = useExposureContext();
    const { method, url, httpVersion, aborted, socket } = req;
    await text(req);
    return { method, url, httpVersion, aborted, address: socket.remoteAddress, complete: req.complete };
  }),

  // {chunks, fails, status, contentType, headers, bare} -> the stream, bare or with what describes it
  task("stream", async ({ bare, chunks, fails, ...head }) => {
    const stream = source({ chunks, fails });
    return bare ? stream : { ...head, stream };
  }),
  // {length} -> so many zeros
  task("zeros", async ({ length }) => {
    let left = length;
    return new Readable({
      read() {
        if (left === 0) return this.push(null);
        const size = Math.min(left, 64 << 10);
        left -= size;
        this.push(Buffer.alloc(size));
      },
    });
  }),
  // "text" and the like -> results that look like streams
  task("noStream", async (name) => {
    return { text: { stream: "text" }, pipe: { pipe: 1 }, web: new ReadableStream(), null: { stream: null } }[name];
  }),

  // {steps, returns, streams} -> see play; then the value, or a stream
  task("response", async ({ steps, returns, streams }) => {
    await play(useExposureContext().res, steps);
    return streams ? new PassThrough().end(streams) : returns;
  }),
  // raw body, the JSON of {steps, returns} -> the same
  task("bodyResponse", async () => {
    const { req, res } = useExposureContext();
    const { steps, returns } = JSON.parse(await text(req));
    await play(res, steps);
    return returns;
  }),
  // -> what a fresh response says of itself
  task("freshResponse", async () => {
    const { res } = useExposureContext();
    return [res.statusCode, res.headersSent, res.writableEnded, res.hasHeader("x-absent")];
  }),
];

module.exports = { tasks };
