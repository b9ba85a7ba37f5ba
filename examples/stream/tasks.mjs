import { Readable, Transform, pipeline } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

export const tasks = {
  // The input of a task that is sent application/octet-stream is a Readable. What is returned here is sent while the
  // caller is still sending.
  "app.tasks.upper": (body) => pipeline(body, new Upper(), () => {}),

  // Server-sent events: one each second. The signal aborts when the caller leaves.
  "app.tasks.clock": ({ ticks = 10, every = 1000 } = {}, { signal }) => ({
    stream: Readable.from(clock(ticks, every, signal)),
    contentType: "text/event-stream",
    headers: { "cache-control": "no-store" },
  }),
};

class Upper extends Transform {
  _transform(chunk, encoding, done) {
    done(null, chunk.toString("latin1").replace(/[a-z]+/g, (text) => text.toUpperCase()), "latin1");
  }
}

async function* clock(ticks, every, signal) {
  for (let tick = 1; tick <= ticks; tick++) {
    yield `event: tick\ndata: ${JSON.stringify({ tick, time: new Date() })}\n\n`;
    if (tick < ticks) await sleep(every, undefined, { signal });
  }
}
