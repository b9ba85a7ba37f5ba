// Tasks that never end by themselves: their caller leaves.
import { Readable } from "node:stream";

const read = async (input) => {
  const source = input instanceof Readable ? input : input?.file && (await input.file.resolve()).stream;
  if (source) for await (const chunk of source) void chunk;
};

export const tasks = {
  waits: async (input, { signal }) => {
    await read(input);
    await new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  },
  streams: async (input) => {
    await read(input);
    const chunk = Buffer.alloc(64 << 10);
    return new Readable({ read() { this.push(chunk); } });
  },
};
