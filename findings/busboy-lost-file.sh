#!/usr/bin/env bash
# busboy 1.6.0 (npm), the parser of multipart/form-data under multer, express-fileupload,
# @bluelibs/runner and many more.
#
# A file whose Content-Disposition busboy does not understand is gone: there is no 'file'
# event, no 'error', no limit event, and 'finish' comes as if the form had had no such part.
# One odd parameter is enough, though it stands behind a plain name and filename:
#   filename="a.txt"; filename*=koi8-r''%C1.txt       RFC 8187 allows any charset
#   filename="a.txt"; filename*=UTF-8''a%20(1).txt    brackets that are not escaped
#   filename="a.txt";                                 nothing behind the last semicolon
# The first is right by the grammar, and Node.js can decode koi8-r; busboy means to hand
# other charsets to TextDecoder, but never passes the name of one on, so that all of them
# fail. With filename*=UTF-8''a%20%281%29.txt the same file arrives.
#
# What follows: a client whose names are in such a form gets the answer of a form without
# the file: 400 "file missing" at best, at worst success with nothing stored. Servers find
# no hint in events; compare what the form announces elsewhere (a manifest, a count) with
# what came.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >log
npm install --no-audit --no-fund busboy@1.6.0 >>log 2>&1 || { cat log; exit 2; }

cat >finding.cjs <<'JS'
const busboy = require("busboy");

const plain = 'form-data; name="f"; filename="a.txt"';
const cases = [
  [plain, "file a.txt"],
  [`${plain}; filename*=UTF-8''a%20%281%29.txt`, "file a (1).txt"],
  [`${plain}; filename*=koi8-r''%C1.txt`, ""],
  [`${plain}; filename*=UTF-8''a%20(1).txt`, ""],
  [`${plain};`, ""],
];

async function events(disposition) {
  const seen = [];
  const parser = busboy({ headers: { "content-type": "multipart/form-data; boundary=b" } });
  parser.on("file", (_, stream, info) => {
    seen.push(`file ${info.filename}`);
    stream.resume();
  });
  for (const name of ["error", "partsLimit", "filesLimit", "fieldsLimit"]) parser.on(name, () => seen.push(name));
  parser.on("field", (name) => seen.push(`field ${name}`));
  const closed = new Promise((resolve) => parser.on("close", resolve));
  parser.on("finish", () => seen.push("finish"));
  parser.end(
    `--b\r\nContent-Disposition: ${disposition}\r\nContent-Type: text/plain\r\n\r\ncontent\r\n` +
      '--b\r\nContent-Disposition: form-data; name="last"\r\n\r\n1\r\n--b--\r\n',
  );
  await closed;
  return seen.join(", ");
}

(async () => {
  let changed = false;
  for (const [disposition, file] of cases) {
    const got = await events(disposition);
    console.log(`${disposition}\n    ${got}`);
    changed ||= got !== [file, "field last", "finish"].filter(Boolean).join(", ");
  }
  if (changed) {
    console.log("CHANGED: the events above are no longer those in the script's header");
    process.exit(1);
  }
  console.log("As described: three of the files are lost without an event.");
})();
JS
timeout 60 node finding.cjs
