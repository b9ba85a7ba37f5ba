import { setTimeout as sleep } from "node:timers/promises";

export const tasks = {
  "app.tasks.add": async ({ a, b }) => a + b,
  "app.tasks.wait": async ({ ms = 1000 } = {}, { signal }) => sleep(ms, ms, { signal }),
  "app.tasks.fail": async () => {
    throw new Error("This text stays in the log");
  },
  "app.tasks.crash": async () => process.exit(1),

  // A handler that calls another service, or has OpenTelemetry of its own, goes on from here.
  "app.tasks.trace": async (input, { headers }) => headers.traceparent,
};
