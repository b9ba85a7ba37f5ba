#!/usr/bin/env bash
# @bluelibs/runner 5.5.0 (npm), nodeExposure, called by its own client.
#
# A task that is called with a file and fails with nothing (throw undefined, or
# Promise.reject() without a reason) has succeeded as far as its caller can see: the answer is
# 200 with ok: true and an undefined result. The same task called without a file answers 500
# INTERNAL_ERROR, as it should.
#
# Seen, of a task that returns Promise.reject():
#   without a file   TunnelError INTERNAL_ERROR
#   with a file      resolved with undefined
#
# What follows: an upload whose task has failed counts as done with its caller, and nobody
# tries again. Reject with an Error, always; a caller can also ask for a result that it can
# tell from undefined.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >log
npm install --no-audit --no-fund @bluelibs/runner@5.5.0 >>log 2>&1 || { cat log; exit 2; }

cat >finding.cjs <<'JS'
const { createHttpMixedClient, createNodeFile, globals, nodeExposure, r, run } = require("@bluelibs/runner");

const rejects = r.task("app.rejects").run(() => Promise.reject()).build();
const tunnel = r
  .resource("app.tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({ mode: "server", transport: "http", tasks: [rejects] }))
  .build();
const exposure = nodeExposure.with({ http: { auth: { token: "token" }, listen: { host: "127.0.0.1", port: 0 } } });
const app = r.resource("app").register([rejects, tunnel, exposure]).build();

(async () => {
  const runtime = await run(app, { logs: { printThreshold: null }, shutdownHooks: false, onUnhandledError: () => {} });
  const client = createHttpMixedClient({
    baseUrl: `http://127.0.0.1:${runtime.getResourceValue(nodeExposure).server.address().port}/__runner`,
    auth: { token: "token" },
    serializer: runtime.getResourceValue(globals.resources.serializer),
    timeoutMs: 10_000,
  });
  const outcome = (input) =>
    client.task("app.rejects", input).then(
      (value) => `resolved with ${value}`,
      (error) => `${error.name} ${error.code}`,
    );
  const without = await outcome({});
  const file = createNodeFile({ name: "a.txt" }, { buffer: Buffer.from("content") });
  const beside = await outcome({ file });
  console.log("without a file:", without);
  console.log("with a file:   ", beside);
  if (without !== "TunnelError INTERNAL_ERROR" || beside !== "resolved with undefined") {
    console.log("CHANGED: the outcomes above are no longer those in the script's header");
    process.exit(1);
  }
  console.log("As described: with a file, a rejection with nothing is a success.");
  process.exit(0);
})();
JS
timeout 60 node finding.cjs
