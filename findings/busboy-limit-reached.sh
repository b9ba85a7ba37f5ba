#!/usr/bin/env bash
# busboy 1.6.0 (npm).
#
# limits.fileSize and limits.fieldSize are called maximum sizes, but a part of exactly that
# size already counts as cut: the file has every byte, and yet its stream emits 'limit' and
# has truncated === true; the field has its whole value, and yet info.valueTruncated is
# true. With a limit of 7:
#   6 bytes  file whole, truncated false     field whole, valueTruncated false
#   7 bytes  file whole, truncated true      field whole, valueTruncated true
#   8 bytes  file of 7,  truncated true      field of 7,  valueTruncated true
#
# What follows: servers that answer 413 at 'limit' refuse files of exactly the size that
# they announce, and two servers with the same configured limit differ by one byte if only
# one of them uses busboy. Configure one byte more than is allowed.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >log
npm install --no-audit --no-fund busboy@1.6.0 >>log 2>&1 || { cat log; exit 2; }

cat >finding.cjs <<'JS'
const busboy = require("busboy");

const limit = 7;

async function parse(size) {
  const seen = { limits: 0 };
  const parser = busboy({
    headers: { "content-type": "multipart/form-data; boundary=b" },
    limits: { fileSize: limit, fieldSize: limit },
  });
  parser.on("file", (_, stream) => {
    seen.file = 0;
    stream.on("limit", () => seen.limits++);
    stream.on("data", (chunk) => (seen.file += chunk.length));
    stream.on("close", () => (seen.truncated = Boolean(stream.truncated)));
  });
  parser.on("field", (_, value, info) => {
    seen.field = value.length;
    seen.valueTruncated = info.valueTruncated;
  });
  const closed = new Promise((resolve) => parser.on("close", resolve));
  parser.end(
    `--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n${"x".repeat(size)}\r\n` +
      `--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n${"x".repeat(size)}\r\n--b--\r\n`,
  );
  await closed;
  return seen;
}

(async () => {
  let changed = false;
  for (const size of [limit - 1, limit, limit + 1]) {
    const got = await parse(size);
    console.log(`limit ${limit}, ${size} bytes:`, JSON.stringify(got));
    const reached = size >= limit;
    changed ||=
      got.file !== Math.min(size, limit) || got.field !== got.file ||
      got.truncated !== reached || got.valueTruncated !== reached || got.limits !== Number(reached);
  }
  if (changed) {
    console.log("CHANGED: the table above is no longer the one in the script's header");
    process.exit(1);
  }
  console.log("As described: what is exactly as long as the limit is whole, and reported as truncated.");
})();
JS
timeout 60 node finding.cjs
