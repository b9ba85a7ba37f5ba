"use strict";

// app.js as a worker: what ipc.Node starts. The options of createApp come in APP, as JSON.

const runner = require("@bluelibs/runner");
const { createApp } = require("./app");

module.exports = {
  runner,
  runtime: runner.run(createApp(undefined, JSON.parse(process.env.APP ?? "{}")), {
    logs: { printThreshold: null },
    shutdownHooks: false,
  }),
};
