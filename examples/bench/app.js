"use strict";

// The same tasks as a BlueLibs Runner application, for Runner's own exposure and for go-tunnel alike.

const runner = require("@bluelibs/runner");
const { tasks } = require("./tasks");

const { globals, r, run, useExposureContext } = runner;

const own = Object.entries(tasks).map(([id, task]) =>
  r
    .task(id)
    .run(id === "bench.upload" ? async () => task(useExposureContext().req) : async (input) => task(input))
    .build(),
);

const tunnel = r
  .resource("bench.tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({ mode: "server", transport: "http", tasks: own }))
  .build();

exports.start = (...more) =>
  run(r.resource("bench").register([...own, tunnel, ...more]).build(), {
    logs: { printThreshold: null },
    shutdownHooks: false,
  });
exports.runtime = () => exports.start();
