#!/usr/bin/env bash
# valibot 1.5.0 with @valibot/to-json-schema 1.8.0 (npm), read with ajv 8.20.0 and
# ajv-formats 3.0.1.
#
# isoDateTime() takes "yyyy-mm-ddThh:mm", without seconds and without a time zone. The
# schema that toJsonSchema makes of it says "format": "date-time", which is RFC 3339's and
# demands both. No string satisfies the two of them:
#   2020-02-03T00:00       valibot true,  its schema false
#   2020-02-03 00:00       valibot true,  its schema false
#   2020-02-03T00:00:00Z   valibot false, its schema true
# isoTime() has the same flaw ("hh:mm" and "format": "time"), where isoTimeSecond() emits a
# pattern that agrees with it. isoTimestamp() is the one that fits date-time.
#
# What follows: a server that checks formats by the emitted schema and hands on to an
# application that checks with valibot refuses every call: one half in the server, the other
# in the application.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >log
npm install --no-audit --no-fund valibot@1.5.0 @valibot/to-json-schema@1.8.0 ajv@8.20.0 ajv-formats@3.0.1 >>log 2>&1 ||
  { cat log; exit 2; }

cat >finding.mjs <<'JS'
import { toJsonSchema } from "@valibot/to-json-schema";
import { Ajv } from "ajv";
import formats from "ajv-formats";
import * as v from "valibot";

const ajv = new Ajv();
formats.default(ajv);
const dateTime = v.pipe(v.string(), v.isoDateTime());
const time = v.pipe(v.string(), v.isoTime());
const timestamp = v.pipe(v.string(), v.isoTimestamp());

let changed = false;
for (const [name, schema, text, library, checked] of [
  ["isoDateTime", dateTime, "2020-02-03T00:00", true, false],
  ["isoDateTime", dateTime, "2020-02-03 00:00", true, false],
  ["isoDateTime", dateTime, "2020-02-03T00:00:00Z", false, true],
  ["isoTime", time, "00:00", true, false],
  ["isoTime", time, "00:00:00Z", false, true],
  ["isoTimestamp", timestamp, "2020-02-03T00:00:00Z", true, true],
]) {
  const got = [v.is(schema, text), ajv.validate(toJsonSchema(schema), text)];
  console.log(`${name} ${text}: valibot ${got[0]}, its schema (format ${toJsonSchema(schema).format}) ${got[1]}`);
  changed ||= got[0] !== library || got[1] !== checked;
}
if (changed) {
  console.log("CHANGED: the answers above are no longer those in the script's header");
  process.exit(1);
}
console.log("As described: what isoDateTime takes is never of the format that is emitted for it.");
JS
timeout 60 node finding.mjs
