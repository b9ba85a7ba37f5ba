// A worker that knows the framed wire and breaks it half-way through a stream, once the
// task "break" was called, in the way that its argument says.

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { Socket } from "node:net";
import { createInterface } from "node:readline";

const out = createWriteStream(null, { fd: 4 });
const say = (message, bytes = "") => out.write(`${JSON.stringify(message)}\n${bytes}`);

const ways = {
  garbage: async () => out.write("garbage\n"),
  "half a message": async (id) => {
    out.write(`{"type":"data","id":${id},"n":100}\nxxx`, () => process.kill(process.pid, "SIGKILL"));
  },
  // More than the server has asked for: it has to lose count before its caller does.
  "no flow control": async (id) => {
    const bytes = "x".repeat(64 << 10);
    for (;;) {
      if (!say({ type: "data", id, n: bytes.length }, bytes)) await once(out, "drain");
    }
  },
};
const way = ways[process.argv[2]];

let id;
say({ type: "hello", wire: 1, tasks: ["break", "waits"] });
for await (const line of createInterface({ input: new Socket({ fd: 3 }) })) {
  const message = JSON.parse(line);
  if (message.taskId === "waits") {
    id = message.id;
    say({ id, ok: true, stream: true, contentType: "text/plain" });
    say({ type: "data", id, n: 16 << 10 }, "first".padEnd(16 << 10, "."));
  } else if (message.taskId === "break") {
    way(id);
  }
}
