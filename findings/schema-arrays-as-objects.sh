#!/usr/bin/env bash
# valibot 1.5.0 with @valibot/to-json-schema 1.8.0, and arktype 2.2.9 (npm), with ajv 8.20.0
# as the reader of their schemas.
#
# Types of objects take arrays in both libraries wherever no member is required, and both
# emit "type": "object" for them, which takes no array (JSON Schema counts arrays apart):
#   valibot  object({ a: optional(string()) })  takes ["x"], and makes {} of it
#   valibot  record(string(), number())         takes [1, 2], and makes { 0: 1, 1: 2 } of it
#   valibot  strictObject({})                   takes [], and makes {} of it
#   arktype  { "a?": "string" }                 takes ["x"], and gives it out as it is
#   arktype  { "[string]": "number" }           takes [1, 2], which TypeScript would not
# zod refuses the first two, and TypeBox the first.
#
# What follows: [] where {} is meant (what PHP makes of an empty map) passes the application
# that checks by itself and is refused by a server that checks by the emitted schema; with
# valibot the application does not even see that it was an array. Neither side can be taken
# for the other.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >log
npm install --no-audit --no-fund valibot@1.5.0 @valibot/to-json-schema@1.8.0 arktype@2.2.9 zod@4.6.7 typebox@1.4.3 \
  ajv@8.20.0 >>log 2>&1 || { cat log; exit 2; }

cat >finding.mjs <<'JS'
import { toJsonSchema } from "@valibot/to-json-schema";
import { Ajv } from "ajv";
import { type } from "arktype";
import Type from "typebox";
import Value from "typebox/value";
import * as v from "valibot";
import { z } from "zod";

const ajv = new Ajv();
const ofValibot = (schema) => ({
  parse: (input) => v.safeParse(schema, input),
  emitted: toJsonSchema(schema),
});
const ofArktype = (schema) => ({
  parse: (input) => {
    const output = schema(input);
    return { success: !(output instanceof type.errors), output };
  },
  emitted: schema.toJsonSchema({ dialect: null }),
});

let changed = false;
for (const [name, { parse, emitted }, input, output] of [
  ["valibot object", ofValibot(v.object({ a: v.optional(v.string()) })), ["x"], {}],
  ["valibot record", ofValibot(v.record(v.string(), v.number())), [1, 2], { 0: 1, 1: 2 }],
  ["valibot strictObject", ofValibot(v.strictObject({})), [], {}],
  ["arktype object", ofArktype(type({ "a?": "string" })), ["x"], ["x"]],
  ["arktype index", ofArktype(type({ "[string]": "number" })), [1, 2], [1, 2]],
]) {
  const got = parse(input);
  const made = got.success ? JSON.stringify(got.output) : "nothing";
  const checked = ajv.validate(emitted, input);
  console.log(`${name}: ${JSON.stringify(input)} becomes ${made}; by its schema of type ${emitted.type}: ${checked}`);
  changed ||= made !== JSON.stringify(output) || checked || emitted.type !== "object";
}
const others = {
  zod: z.object({ a: z.string().optional() }).safeParse(["x"]).success,
  "zod record": z.record(z.string(), z.number()).safeParse([1, 2]).success,
  typebox: Value.Check(Type.Object({ a: Type.Optional(Type.String()) }), ["x"]),
};
console.log("others take arrays:", JSON.stringify(others));
changed ||= Object.values(others).includes(true);
if (changed) {
  console.log("CHANGED: the answers above are no longer those in the script's header");
  process.exit(1);
}
console.log("As described: arrays pass for objects in the libraries, and not in their schemas.");
JS
timeout 60 node finding.mjs
