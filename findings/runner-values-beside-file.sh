#!/usr/bin/env bash
# @bluelibs/runner 5.5.0 (npm), nodeExposure, called by its own client.
#
# The client's serializer carries Date, Map, Set and types of one's own to tasks behind a
# tunnel. With a file anywhere in the same input the call goes out as a form, whose manifest
# the client writes just as well, but the server, when it puts the files into the input,
# copies every object by its enumerable members. What has none arrives as {}, without an
# error, and the types of one's own as plain objects.
#
# Seen, of { date: new Date(0), map: new Map([[1, 2]]), set: new Set([1]) }:
#   alone            Date, Map, Set
#   beside a file    Object, Object, Object, all empty
#
# What follows: a task that takes a date loses it on the day that its input gets an
# attachment, and code like input.date.getTime() fails in production only. Send dates as
# text or numbers in calls with files. (Servers that keep the values do no harm: the client
# sends them.)
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >log
npm install --no-audit --no-fund @bluelibs/runner@5.5.0 >>log 2>&1 || { cat log; exit 2; }

cat >finding.cjs <<'JS'
const { createHttpMixedClient, createNodeFile, globals, nodeExposure, r, run } = require("@bluelibs/runner");

const kinds = r
  .task("app.kinds")
  .run(async ({ date, map, set }) => [date, map, set].map((value) => `${value.constructor.name} of ${value.size ?? Number(value)}`).join(", "))
  .build();
const tunnel = r
  .resource("app.tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({ mode: "server", transport: "http", tasks: [kinds] }))
  .build();
const exposure = nodeExposure.with({ http: { auth: { token: "token" }, listen: { host: "127.0.0.1", port: 0 } } });
const app = r.resource("app").register([kinds, tunnel, exposure]).build();

(async () => {
  const runtime = await run(app, { logs: { printThreshold: null }, shutdownHooks: false });
  const client = createHttpMixedClient({
    baseUrl: `http://127.0.0.1:${runtime.getResourceValue(nodeExposure).server.address().port}/__runner`,
    auth: { token: "token" },
    serializer: runtime.getResourceValue(globals.resources.serializer),
    timeoutMs: 10_000,
  });
  const input = { date: new Date(0), map: new Map([[1, 2]]), set: new Set([1]) };
  const alone = await client.task("app.kinds", input);
  const file = createNodeFile({ name: "a.txt" }, { buffer: Buffer.from("content") });
  const beside = await client.task("app.kinds", { ...input, file });
  console.log("alone:        ", alone);
  console.log("beside a file:", beside);
  if (alone !== "Date of 0, Map of 1, Set of 1" || beside !== "Object of NaN, Object of NaN, Object of NaN") {
    console.log("CHANGED: the values above are no longer those in the script's header");
    process.exit(1);
  }
  console.log("As described: beside a file, dates, maps and sets arrive as empty objects.");
  process.exit(0);
})();
JS
timeout 60 node finding.cjs
