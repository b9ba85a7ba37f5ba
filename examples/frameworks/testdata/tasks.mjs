// Tasks whose streams say "first", and end early once the task "break" was
// called with their request's id.

import { EventEmitter, once } from "node:events";
import { Readable } from "node:stream";

const running = new EventEmitter();

async function* parts(id, end) {
  const broken = once(running, id);
  yield "first".padEnd(16 << 10, ".");
  await broken;
  await end();
}

const stream = (end) => (_, { requestId }) => ({ stream: Readable.from(parts(requestId, end)), contentType: "text/plain" });

export const tasks = {
  break: async (id) => void running.emit(id),
  fails: stream(async () => {
    throw new Error("this text stays in the log");
  }),
  exits: stream(() => process.exit(1)),
  killed: stream(() => process.kill(process.pid, "SIGKILL")),
  waits: stream(() => new Promise(() => {})),
};
