#!/usr/bin/env bash
# zod 4.6.7 (npm), with ajv 8.20.0 as the reader of its schemas.
#
# z.ipv6() and z.cidrv6() check addresses with the URL parser, but the JSON Schema that
# z.toJSONSchema makes of them has a regular expression that knows nothing of the dotted
# form of the last 32 bits (RFC 4291, section 2.2). So the library takes what its own
# schema refuses:
#   ::ffff:192.0.2.1      taken by zod, refused by the emitted pattern
#   64:ff9b::192.0.2.33   taken by zod, refused by the emitted pattern
#   ::ffff:192.0.2.0/120  the same of z.cidrv6()
#   ::ffff:c000:201       taken by both (the same address as the first)
#
# What follows: a gateway, client or server that checks with the emitted schema, in front
# of an application that checks with zod, refuses valid calls. Addresses of IPv4 callers on
# sockets that listen on IPv6 have just this form (remoteAddress in Node.js). Leave out
# "pattern" where "format" is ipv6, or write the address in hexadecimal.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >log
npm install --no-audit --no-fund zod@4.6.7 ajv@8.20.0 >>log 2>&1 || { cat log; exit 2; }

cat >finding.mjs <<'JS'
import Ajv from "ajv/dist/2020.js";
import { z } from "zod";

const ajv = new Ajv.default({ strict: false, validateFormats: false });
const cases = [
  [z.ipv6(), "::ffff:192.0.2.1", false],
  [z.ipv6(), "64:ff9b::192.0.2.33", false],
  [z.cidrv6(), "::ffff:192.0.2.0/120", false],
  [z.ipv6(), "::ffff:c000:201", true],
];

let changed = false;
for (const [type, address, expected] of cases) {
  const library = type.safeParse(address).success;
  const schema = ajv.validate(z.toJSONSchema(type), address);
  console.log(`${address}: zod ${library}, its schema ${schema}`);
  changed ||= !library || schema !== expected;
}
if (changed) {
  console.log("CHANGED: the answers above are no longer those in the script's header");
  process.exit(1);
}
console.log("As described: zod's schema of an IPv6 address refuses addresses that zod takes.");
JS
timeout 60 node finding.mjs
