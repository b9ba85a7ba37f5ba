"use strict";

// Serves app.js with Runner's own nodeExposure: the reference that the Go side is compared with.
//
//   node exposure.js '{"auth":{"token":["a","b"]},"cors":{"origin":"https://a.example"}}'
//
// The keys are those of the exposure's http options (basePath, auth, cors, limits, disableDiscovery), and:
//   cors.originPattern  source of a RegExp, used as cors.origin
//   app                 the options of createApp
// Without auth the token is "secret". Prints {"port":N} when ready; ends with stdin, or on SIGTERM.

const { nodeExposure, run } = require("@bluelibs/runner");
const { createApp } = require("./app");

async function main() {
  const { app, cors, auth = { token: "secret" }, ...rest } = JSON.parse(process.argv[2] ?? "{}");
  const http = { ...rest, auth, listen: { host: "127.0.0.1", port: 0 } };
  if (cors) {
    const { originPattern, ...options } = cors;
    http.cors = originPattern === undefined ? options : { ...options, origin: new RegExp(originPattern) };
  }

  const exposure = nodeExposure.with({ http });
  const runtime = await run(createApp(exposure, app), {
    logs: { printThreshold: null }, // Runner logs to stdout, which belongs to the port
    shutdownHooks: false, // they would wait for open connections
    onUnhandledError: ({ error }) => console.error(error),
  });
  const { server } = runtime.getResourceValue(nodeExposure);
  console.log(JSON.stringify({ port: server.address().port }));
}

process.on("SIGTERM", () => process.exit(0));
process.stdin.on("end", () => process.exit(0)).resume();

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
