"use strict";

// Serves app.js with the exposure of Runner 6 itself: the reference that the Go side is compared with.
//
//   node exposure.js '{"keys":{…},"http":{"auth":{"token":"secret"}}}'
//
// Prints {"port":N} when ready; ends with stdin, or on SIGTERM.

const { run, rpcLanesResource } = require("@bluelibs/runner");
const { createApp } = require("./app");

async function main() {
  const { http, ...rest } = JSON.parse(process.argv[2] ?? "{}");
  const listen = { host: "127.0.0.1", port: 0 };
  const app = createApp({ ...rest, http: { auth: { token: "secret" }, ...http, listen } });
  const runtime = await run(app, {
    logs: { printThreshold: null }, // Runner logs to stdout, which belongs to the port
    shutdownHooks: false,
    onUnhandledError: ({ error }) => console.error(error),
  });
  const { exposure } = runtime.getResourceValue(rpcLanesResource);
  console.log(JSON.stringify({ port: exposure.getHandlers().server.address().port }));
}

process.on("SIGTERM", () => process.exit(0));
process.stdin.on("end", () => process.exit(0)).resume();

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
