"use strict";

// The same application behind Runner's own HTTP server, to compare: PORT=7071 node expose.js

const { nodeExposure } = require("@bluelibs/runner");
const { start } = require("./app");

const http = {
  basePath: "/__runner",
  auth: { token: process.env.TOKEN ?? "secret" },
  listen: { host: "127.0.0.1", port: Number(process.env.PORT ?? 7071) },
};

start(nodeExposure.with({ http })).then(
  (runtime) => {
    const { address, port } = runtime.getResourceValue(nodeExposure).server.address();
    console.log(`listening on http://${address}:${port}${http.basePath}`);
  },
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
