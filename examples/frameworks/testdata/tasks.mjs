// Tasks whose streams say "first", and end early once the task "break" was called.

import { Readable } from "node:stream";

let breakOff;
const broken = new Promise((resolve) => (breakOff = resolve));

async function* parts(end) {
  yield "first";
  await broken;
  await end();
}

const stream = (end) => () => ({ stream: Readable.from(parts(end)), contentType: "text/plain" });

export const tasks = {
  break: async () => breakOff(),
  fails: stream(async () => {
    throw new Error("this text stays in the log");
  }),
  exits: stream(() => process.exit(1)),
  killed: stream(() => process.kill(process.pid, "SIGKILL")),
  waits: stream(() => new Promise(() => {})),
};
