"use strict";

// An application of Runner 6 without lanes as a worker. BUILD is the build of Runner that it runs on: node, or universal,
// which is what Bun and Deno find by the name. With LANES it has a resource of lanes after all, which only node can read.

const path = require("node:path");

const root = path.dirname(require.resolve("@bluelibs/runner/package.json"));
const name = process.env.BUILD === "universal" ? path.join(root, "dist/universal/index.cjs") : "@bluelibs/runner";
const runner = require(name);
const { defineTask, r, run } = runner;

const origin = ({ source, signal }) => ({ source, signal: signal instanceof AbortSignal });
const teapot = r.error("teapot").httpCode(418).build();
const asked = r.event("asked").build();

const app = r
  .resource("app")
  .register([
    teapot,
    asked,
    defineTask({ id: "origin", run: async (_input, _dependencies, context) => origin(context) }),
    r
      .task("fail")
      .run(async (input) => {
        throw teapot.new(input);
      })
      .build(),
    r
      .hook("answer")
      .on(asked)
      .run(async ({ data, ...rest }) => {
        Object.assign(data, origin(rest));
      })
      .build(),
    ...(process.env.LANES ? [r.resource("lanes").tags([runner.tags.rpcLanes]).build()] : []),
  ])
  .build();

module.exports.runtime = run(app, { logs: { printThreshold: null }, shutdownHooks: false });
