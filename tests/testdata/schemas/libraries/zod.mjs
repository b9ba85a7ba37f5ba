import { z } from "zod";

export const name = "zod";
export const emit = (s) => z.toJSONSchema(s, { io: "input" });
export const takes = (s, value) => s.safeParse(value).success;

export const leaves = {};
const add = (label, make) => {
  leaves[label] = make;
};
for (const format of ["base64", "base64url", "cidrv4", "cidrv6", "cuid", "cuid2", "e164", "email", "emoji", "guid", "hex", "hostname", "httpUrl", "iban", "ipv4", "ipv6", "jwt", "ksuid", "mac", "nanoid", "ulid", "url", "uuid", "uuidv4", "uuidv6", "uuidv7", "xid", "int", "int32", "uint32", "float32", "float64", "boolean", "null", "any", "unknown", "never", "string", "number", "file"]) {
  if (typeof z[format] === "function") add(format, () => z[format]());
}
for (const format of ["date", "time", "datetime", "duration"]) add("iso." + format, () => z.iso[format]());
add("datetime offset", () => z.iso.datetime({ offset: true }));
add("datetime local", () => z.iso.datetime({ local: true }));
add("datetime precision", () => z.iso.datetime({ precision: 3 }));
add("time precision", () => z.iso.time({ precision: -1 }));
for (const [label, change] of Object.entries({
  min: (s) => s.min(3), max: (s) => s.max(2), length: (s) => s.length(2), regex: (s) => s.regex(/^[a-z]+$/), unicode: (s) => s.regex(/^\p{L}+$/u), any: (s) => s.regex(/^[^]*$/), emoji: (s) => s.regex(/^\p{Extended_Pictographic}/u),
  lookbehind: (s) => s.regex(/(?<=a)b/), lookahead: (s) => s.regex(/^(?=.*\d)[a-z\d]+$/), backreference: (s) => s.regex(/(.)\1/), named: (s) => s.regex(/^(?<x>[a-z])\k<x>/), spaces: (s) => s.regex(/^\S+$/), blank: (s) => s.regex(/\s/), control: (s) => s.regex(/\cJ/),
  startsWith: (s) => s.startsWith("prefix-"), endsWith: (s) => s.endsWith("-suffix"), includes: (s) => s.includes("oo"), lowercase: (s) => s.lowercase(), uppercase: (s) => s.uppercase(), two: (s) => s.regex(/^a/).regex(/c$/), email2: (s) => s.email().regex(/example/), nonempty: (s) => s.min(1).max(5),
})) add("string " + label, () => change(z.string()));
for (const [label, change] of Object.entries({
  positive: (s) => s.positive(), negative: (s) => s.negative(), nonnegative: (s) => s.nonnegative(), min: (s) => s.min(1), max: (s) => s.max(100), lt: (s) => s.lt(100), gt: (s) => s.gt(0.5), multipleOf: (s) => s.multipleOf(5), tenths: (s) => s.multipleOf(0.1), int: (s) => s.int(), between: (s) => s.int().min(0).max(255),
})) add("number " + label, () => change(z.number()));
for (const value of ["a", 1, true, null, "🙂", 0, -0, 1.5]) add("literal " + JSON.stringify(value), () => z.literal(value));
add("literals", () => z.literal(["a", 1, null]));
add("enum", () => z.enum(["a", "b", "abc"]));
add("template", () => z.templateLiteral(["prefix-", z.string()]));
add("template number", () => z.templateLiteral([z.number(), "px"]));
add("stringbool", () => z.union([z.literal("true"), z.literal("false")]));

export const composites = (leaf) => ({
  object: [z.object({ a: leaf }), "object"],
  strict: [z.strictObject({ a: leaf }), "object"],
  loose: [z.looseObject({ a: leaf.optional() }), "object"],
  optional: [z.object({ a: leaf.optional(), b: z.number().optional() }), "object"],
  nullable: [z.object({ a: leaf.nullable() }), "object"],
  array: [z.array(leaf), "list"],
  bounded: [z.array(leaf).min(1).max(2), "twice"],
  tuple: [z.tuple([leaf]), "list"],
  rest: [z.tuple([leaf], z.string()), "twice"],
  record: [z.record(z.string(), leaf), "record"],
  union: [z.union([leaf, z.array(leaf)]), "list"],
  both: [z.intersection(z.object({ a: leaf }), z.object({ b: z.number().optional() })), "object"],
});

const node = z.object({ value: z.number(), get next() { return node.nullable(); } });
const tree = z.object({ value: z.number(), get children() { return z.array(tree); } });
export const wholes = {
  list: node, tree,
  kinds: z.discriminatedUnion("kind", [z.object({ kind: z.literal("a"), a: z.number() }), z.object({ kind: z.literal("b"), b: z.string() })]),
  person: z.object({ name: z.string().min(1), age: z.int().nonnegative(), email: z.email().optional() }),
  keys: z.record(z.string().regex(/^x\d$/), z.number()),
  partial: z.partialRecord(z.enum(["a", "b"]), z.number()),
  full: z.record(z.enum(["a", "b"]), z.number()),
  catchall: z.object({ a: z.number() }).catchall(z.string()),
};
