// Tasks that do what no task should, in a process that survives it: Runner applications do, too.
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
  wrap: (input) => ({ input }),
};
