// The tasks of tasks.mjs that move bytes.
import { createHash } from "node:crypto";
import { Readable, Transform } from "node:stream";
import { buffer, text } from "node:stream/consumers";

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const aborted = { signals: 0, bodies: 0, sources: 0 }; // since the start

async function sum(stream) {
  const hash = createHash("sha256");
  let length = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    length += chunk.length;
  }
  return { length, sha256: hash.digest("hex") };
}

async function sumOf(file) {
  const { stream } = await file.resolve();
  return { name: file.name, type: file.type, ...(await sum(stream)) };
}

// bytes are zeros, in chunks of 64 KiB, that end after length, or never.
function bytes(length = Infinity) {
  const chunk = Buffer.alloc(64 << 10);
  let left = length;
  return new Readable({
    read() {
      if (left === 0) return this.push(null);
      const size = Math.min(left, chunk.length);
      left -= size;
      this.push(size === chunk.length ? chunk : chunk.subarray(0, size));
    },
  });
}

export const byteTasks = {
  // raw body -> {length, sha256}; its text; nothing of it read; only its first chunk
  "app.bytes.sum": (body) => sum(body),
  "app.bytes.text": (body) => text(body),
  "app.bytes.ignore": () => "ignored",
  "app.bytes.first": async (body) => {
    for await (const chunk of body) return String(chunk);
  },
  // raw body -> the same; in upper case
  "app.bytes.echo": (body) => body,
  "app.bytes.upper": (body) =>
    body.pipe(new Transform({ transform: (chunk, _, done) => done(null, String(chunk).toUpperCase()) })),
  // raw body -> its length; counts callers that left before
  "app.bytes.hold": async (body, { signal }) => {
    signal.addEventListener("abort", () => aborted.signals++);
    body.once("close", () => {
      if (!body.readableEnded) aborted.bodies++;
    });
    return (await buffer(body)).length;
  },

  // {files: […]} -> [{name, type, length, sha256}], read one after the other, or all at once
  "app.bytes.files": async ({ files }) => {
    const sums = [];
    for (const file of files) sums.push(await sumOf(file));
    return sums;
  },
  "app.bytes.filesAtOnce": ({ files }) => Promise.all(files.map(sumOf)),
  // {files, read: [1, 0, …]} -> the same for those that read names, in that order
  "app.bytes.someFiles": async ({ files, read }) => {
    const sums = [];
    for (const i of read) sums.push(await sumOf(files[i]));
    return sums;
  },
  // {file} -> {name, type, size, lastModified, extra, text}
  "app.bytes.file": async ({ file }) => {
    const { stream } = await file.resolve();
    const { name, type, size, lastModified, extra } = file;
    return { name, type, size, lastModified, extra, text: await text(stream) };
  },

  // {length} -> so many zeros; without it they never end
  "app.bytes.zeros": ({ length }, { signal }) => {
    signal.addEventListener("abort", () => aborted.signals++);
    return bytes(length).once("close", function () {
      if (!this.readableEnded) aborted.sources++;
    });
  },
  // {chunks, ms, fails, status, contentType, headers} -> the chunks, each after ms, and then an error if fails says so
  "app.bytes.stream": ({ chunks, ms = 0, fails, ...head }) => ({
    ...head,
    stream: Readable.from(
      (async function* () {
        for (const chunk of chunks) {
          if (ms) await wait(ms);
          yield chunk;
        }
        await wait(0);
        if (fails) throw new Error(fails);
      })(),
    ),
  }),
  // -> {signals, bodies, sources}: how many of each were aborted
  "app.bytes.aborted": () => aborted,
};
