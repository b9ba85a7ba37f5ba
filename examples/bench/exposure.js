"use strict";

// The application behind Runner's own HTTP server.

const { nodeExposure } = require("@bluelibs/runner");
const { start } = require("./app");
const { fail, ready, token } = require("./child");

const http = { auth: { token }, listen: { host: "127.0.0.1", port: 0 } };

start(nodeExposure.with({ http })).then((runtime) => ready(runtime.getResourceValue(nodeExposure).server), fail);
