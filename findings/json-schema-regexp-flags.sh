#!/usr/bin/env bash
# zod 4.6.7 and arktype 2.2.9 (npm), with ajv 8.20.0 as the reader of their schemas.
#
# "pattern" of JSON Schema has no flags. Both libraries write the source of a regular
# expression with flags into it all the same, without an error or a warning, and so emit a
# schema of another meaning. (Both raise an error for other things that JSON Schema cannot
# say, such as z.date() or a type with a predicate, so that silence looks like consent.)
#   z.string().regex(/^a$/i)    takes "A"; emits pattern ^a$, which refuses "A"
#   type(/^a$/i)                takes "A"; emits pattern ^a$, which refuses "A"
#   z.string().regex(/^b$/m)    takes "a\nb"; emits pattern ^b$, which refuses "a\nb"
#
# What follows: where a server checks by the emitted schema before an application checks by
# the library, calls are refused that the application wants. Write the letters out ([aA])
# in expressions that end up in a schema.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >log
npm install --no-audit --no-fund zod@4.6.7 arktype@2.2.9 ajv@8.20.0 >>log 2>&1 || { cat log; exit 2; }

cat >finding.mjs <<'JS'
import Ajv from "ajv/dist/2020.js";
import { type } from "arktype";
import { z } from "zod";

const ajv = new Ajv.default();
const ofZod = (expression) => {
  const built = z.string().regex(expression);
  return { takes: (text) => built.safeParse(text).success, schema: () => z.toJSONSchema(built) };
};
const ofArktype = (expression) => {
  const built = type(expression);
  return { takes: (text) => built.allows(text), schema: () => built.toJsonSchema() };
};
const throws = (call) => {
  try {
    call();
    return false;
  } catch {
    return true;
  }
};

let changed = false;
for (const [name, library, expression, text] of [
  ["zod", ofZod, /^a$/i, "A"],
  ["arktype", ofArktype, /^a$/i, "A"],
  ["zod", ofZod, /^b$/m, "a\nb"],
]) {
  const { takes, schema } = library(expression);
  const emitted = schema();
  const checked = ajv.validate(emitted, text);
  console.log(`${name} ${expression} ${JSON.stringify(text)}: library ${takes(text)}, pattern ${emitted.pattern} ${checked}`);
  changed ||= !takes(text) || checked || emitted.pattern !== expression.source;
}
const strict = {
  "z.date()": throws(() => z.toJSONSchema(z.date())),
  "arktype's string.url": throws(() => type("string.url").toJsonSchema()),
};
console.log("what raises an error:", JSON.stringify(strict));
changed ||= Object.values(strict).includes(false);
if (changed) {
  console.log("CHANGED: the answers above are no longer those in the script's header");
  process.exit(1);
}
console.log("As described: flags are dropped in silence.");
JS
timeout 60 node finding.mjs
