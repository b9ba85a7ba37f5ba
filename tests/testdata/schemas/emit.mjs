// Writes a line for each schema of each library, {"library","name","schema","texts","ajv","own"}:
// the JSON texts that it was held against, and as a string of 0 and 1 whether ajv, and the
// library itself, take what JSON.parse makes of each. With an argument n only each nth schema
// is held against anything. What a library cannot emit is named on standard error.
import Ajv from "ajv";
import Ajv2020 from "ajv/dist/2020.js";
import * as zod from "./libraries/zod.mjs";
import * as valibot from "./libraries/valibot.mjs";
import * as arktype from "./libraries/arktype.mjs";
import * as typebox0 from "./libraries/typebox0.mjs";
import * as typebox1 from "./libraries/typebox1.mjs";
import * as effect from "./libraries/effect.mjs";
import { texts, inner, wraps } from "./values.mjs";

// Formats are what they are to ajv without its plugin: nothing.
const settings = { strict: false, validateFormats: false, allErrors: false };

function validator(schema) {
  const older = String(schema.$schema).includes("draft-07") || (!schema.$schema && /"items":\[/.test(JSON.stringify(schema)));
  return new (older ? Ajv : Ajv2020)(settings).compile(schema);
}

function attempt(check) {
  try {
    return check() ? "1" : "0";
  } catch {
    return "x";
  }
}

const every = Number(process.argv[2] ?? 1);
let written = 0;
let left = 0;
function write(library, name, schema, held) {
  if (written++ % every > 0) held = [];
  let emitted, validate;
  try {
    emitted = library.emit(schema);
    if (held.length > 0) validate = validator(emitted);
  } catch (error) {
    left++;
    process.stderr.write(`${library.name} ${name}: ${String(error.message).split("\n")[0]}\n`);
    return;
  }
  let ajv = "";
  let own = "";
  for (const text of held) {
    ajv += attempt(() => validate(JSON.parse(text)));
    own += attempt(() => library.takes(schema, JSON.parse(text)));
  }
  process.stdout.write(JSON.stringify({ library: library.name, name, schema: emitted, texts: held, ajv, own }) + "\n");
}

function tried(library, name, make) {
  try {
    return make();
  } catch (error) {
    left++;
    process.stderr.write(`${library.name} ${name}: ${String(error.message).split("\n")[0]}\n`);
  }
}

for (const library of [zod, valibot, arktype, typebox0, typebox1, effect]) {
  let n = 0;
  for (const [name, make] of Object.entries(library.leaves)) {
    const leaf = tried(library, name, make);
    if (!leaf) continue;
    write(library, name, leaf, texts);
    const composites = Object.keys(tried(library, name, () => library.composites(leaf)) ?? {});
    // Each leaf in some of the composites, in turn.
    for (const composite of composites.filter((_, i) => i % 4 === n % 4)) {
      const [schema, wrap] = library.composites(leaf)[composite];
      write(library, `${composite} of ${name}`, schema, [...inner.map(wraps[wrap]), "{}", "[]", "null", '"a"', '{"b":1}', '{"a":1,"c":2}', '{"b":"x"}', "[1,2,3]"]);
    }
    n++;
  }
  for (const [name, schema] of Object.entries(library.wholes)) write(library, name, schema, texts);
}
process.stderr.write(`${left} left out\n`);
