// Tasks whose streams say "first", and end early once the task "break" was called.

import { Readable } from "node:stream";

const broken = Promise.withResolvers?.() ?? withResolvers();

function withResolvers() {
  const resolvers = {};
  resolvers.promise = new Promise((resolve) => (resolvers.resolve = resolve));
  return resolvers;
}

async function* parts(end) {
  yield "first";
  await broken.promise;
  await end();
}

const stream = (end) => () => ({ stream: Readable.from(parts(end)), contentType: "text/plain" });

export const tasks = {
  break: async () => broken.resolve(),
  fails: stream(async () => {
    throw new Error("this text stays in the log");
  }),
  exits: stream(() => process.exit(1)),
  killed: stream(() => process.kill(process.pid, "SIGKILL")),
  waits: stream(() => new Promise(() => {})),
};
