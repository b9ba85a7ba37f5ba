#!/usr/bin/env bash
# @bluelibs/runner 5.5.0 (npm), the client.
#
# createNodeFile(meta, source) makes a file to send, and createNodeFile(meta, source, id) one
# with an id of your own. The default id is not a new one for each file but "F1" for all. A
# call with two such files goes out with two parts of one name and with two places in its
# manifest that point to that name: nothing on the wire says which content belongs where.
# No error is raised, neither by createNodeFile nor by the client.
#
# Seen, of { a: createNodeFile(...), b: createNodeFile(...) }:
#   by default              parts of the names file:F1 and file:F1
#   with ids of one's own   parts of the names file:A and file:B
#
# What follows: a server sees one file where the caller meant two, and can only take the
# first, the last, or refuse. Always give ids when a call has more than one file.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >log
npm install --no-audit --no-fund @bluelibs/runner@5.5.0 >>log 2>&1 || { cat log; exit 2; }

cat >finding.cjs <<'JS'
const http = require("node:http");
const { createHttpMixedClient, createNodeFile, Serializer } = require("@bluelibs/runner");

const file = (name, id) => createNodeFile({ name }, { buffer: Buffer.from(`content of ${name}`) }, ...(id ? [id] : []));

(async () => {
  let names;
  const server = http.createServer(async (request, response) => {
    let form = "";
    for await (const chunk of request) form += chunk.toString("latin1");
    names = [...form.matchAll(/name="(file:[^"]*)"/g)].map(([, name]) => name).join(" ");
    response.setHeader("content-type", "application/json").end('{"ok":true}');
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = createHttpMixedClient({
    baseUrl: `http://127.0.0.1:${server.address().port}/__runner`,
    auth: { token: "token" },
    serializer: new Serializer(),
    timeoutMs: 10_000,
  });
  await client.task("app.task", { a: file("a.txt"), b: file("b.txt") });
  const byDefault = names;
  await client.task("app.task", { a: file("a.txt", "A"), b: file("b.txt", "B") });
  console.log("by default:      ", byDefault);
  console.log("ids of one's own:", names);
  if (byDefault !== "file:F1 file:F1" || names !== "file:A file:B") {
    console.log("CHANGED: the names above are no longer those in the script's header");
    process.exit(1);
  }
  console.log("As described: files have the same id unless they are given one.");
  process.exit(0);
})();
JS
timeout 60 node finding.cjs
