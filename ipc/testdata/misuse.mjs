// Tasks that do what no task should, in a process that survives it: Runner applications do, too.
import { writeSync } from "node:fs";
import { Readable } from "node:stream";

process.on("uncaughtException", ({ message }) => console.log("uncaught:", message));

const fail = () => {
  throw new Error("in a listener");
};

export const tasks = {
  pid: () => process.pid,
  size: async (body) => {
    let size = 0;
    for await (const chunk of body) size += chunk.length;
    return size;
  },
  stream: ({ size }) => Readable.from([Buffer.alloc(size)]),
  throwInData: (body) => {
    body.on("data", fail);
    return new Promise(() => {});
  },
  throwInDrain: ({ size }) => ({
    pipe(target) {
      target.on("drain", fail);
      target.write(Buffer.alloc(size));
    },
  }),
  block: () => {
    writeSync(1, "blocked\n");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
  wrap: (input) => ({ input }),
};
