#!/usr/bin/env bash
# zod 4.6.7 (npm), with ajv 8.20.0 as the reader of its schemas.
#
# z.toJSONSchema(type, { io: "input" }) is to describe what a type takes, as against what it
# gives out. For two everyday modifiers it describes what comes out of them, and so refuses
# input that the type takes:
#   z.string().toLowerCase().regex(/^[a-z]+$/)   takes "ABC"; emits pattern ^[a-z]+$
#   z.object({ a: z.string().catch("x") })       takes {} and { a: 1 }; emits a as a
#                                                required string (with a "default")
# z.string().default("x") in the same place is optional in the emitted schema, as it should.
#
# What follows: a server that publishes or checks the emitted schema turns away calls for
# whose sake the modifier was written: those in capitals, and those without or with a bad
# value. Check such input with zod alone, or write the schema by hand (the override option).
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >log
npm install --no-audit --no-fund zod@4.6.7 ajv@8.20.0 >>log 2>&1 || { cat log; exit 2; }

cat >finding.mjs <<'JS'
import Ajv from "ajv/dist/2020.js";
import { z } from "zod";

const ajv = new Ajv.default({ strict: false });
const lower = z.string().toLowerCase().regex(/^[a-z]+$/);
const caught = z.object({ a: z.string().catch("x") });
const defaulted = z.object({ a: z.string().default("x") });
const cases = [
  ["toLowerCase", lower, "abc", true],
  ["toLowerCase", lower, "ABC", false],
  ["catch", caught, { a: "text" }, true],
  ["catch", caught, {}, false],
  ["catch", caught, { a: 1 }, false],
  ["default", defaulted, {}, true],
];

let changed = false;
for (const [name, type, input, expected] of cases) {
  const emitted = z.toJSONSchema(type, { io: "input" });
  const library = type.safeParse(input).success;
  const schema = ajv.validate(emitted, input);
  console.log(`${name}, ${JSON.stringify(input)}: zod ${library}, its schema of the input ${schema}`);
  changed ||= !library || schema !== expected;
}
if (changed) {
  console.log("CHANGED: the answers above are no longer those in the script's header");
  process.exit(1);
}
console.log("As described: the schema of the input refuses input that zod takes.");
JS
timeout 60 node finding.mjs
