import * as v from "valibot";
import { toJsonSchema } from "@valibot/to-json-schema";

export const name = "valibot";
export const emit = (s) => toJsonSchema(s, { typeMode: "input" });
export const takes = (s, value) => v.safeParse(s, value).success;

export const leaves = { string: () => v.string(), number: () => v.number(), boolean: () => v.boolean(), null: () => v.null(), any: () => v.any(), unknown: () => v.unknown() };
for (const check of ["base64", "bic", "cuid2", "decimal", "digits", "domain", "email", "emoji", "empty", "hexColor", "hexadecimal", "ipv4", "ipv6", "isoDate", "isoDateTime", "isoTime", "isoTimeSecond", "isoTimestamp", "isoWeek", "isrc", "jwsCompact", "ksuid", "mac", "mac48", "mac64", "nanoid", "nonEmpty", "octal", "rfcEmail", "slug", "ulid", "url", "uuid"]) {
  if (typeof v[check] === "function") leaves[check] = () => v.pipe(v.string(), v[check]());
}
Object.assign(leaves, {
  minLength: () => v.pipe(v.string(), v.minLength(3)), maxLength: () => v.pipe(v.string(), v.maxLength(2)), length: () => v.pipe(v.string(), v.length(2)), regex: () => v.pipe(v.string(), v.regex(/^[a-z]+$/)), unicode: () => v.pipe(v.string(), v.regex(/^\p{L}+$/u)),
  lookbehind: () => v.pipe(v.string(), v.regex(/(?<!a)b/)), backreference: () => v.pipe(v.string(), v.regex(/(.)\1/)), startsWith: () => v.pipe(v.string(), v.regex(/^prefix/)),
  integer: () => v.pipe(v.number(), v.integer()), safeInteger: () => v.pipe(v.number(), v.safeInteger()), minValue: () => v.pipe(v.number(), v.minValue(1)), maxValue: () => v.pipe(v.number(), v.maxValue(100)), gtValue: () => v.pipe(v.number(), v.gtValue(0)), ltValue: () => v.pipe(v.number(), v.ltValue(100)), multipleOf: () => v.pipe(v.number(), v.multipleOf(5)), tenths: () => v.pipe(v.number(), v.multipleOf(0.1)),
  literal: () => v.literal("a"), one: () => v.literal(1), picklist: () => v.picklist(["a", "b", "abc"]), numbers: () => v.picklist([1, 2]),
});

export const composites = (leaf) => ({
  object: [v.object({ a: leaf }), "object"],
  strict: [v.strictObject({ a: leaf }), "object"],
  loose: [v.looseObject({ a: leaf }), "object"],
  optional: [v.object({ a: v.optional(leaf) }), "object"],
  nullable: [v.object({ a: v.nullable(leaf) }), "object"],
  array: [v.array(leaf), "list"],
  bounded: [v.pipe(v.array(leaf), v.minLength(1), v.maxLength(2)), "twice"],
  tuple: [v.tuple([leaf]), "list"],
  strictTuple: [v.strictTuple([leaf]), "list"],
  record: [v.record(v.string(), leaf), "record"],
  union: [v.union([leaf, v.array(leaf)]), "list"],
  both: [v.intersect([v.object({ a: leaf }), v.object({ b: v.optional(v.number()) })]), "object"],
});

export const wholes = {
  kinds: v.variant("kind", [v.object({ kind: v.literal("a"), a: v.number() }), v.object({ kind: v.literal("b"), b: v.string() })]),
  person: v.object({ name: v.pipe(v.string(), v.minLength(1)), age: v.pipe(v.number(), v.integer(), v.minValue(0)) }),
  rest: v.objectWithRest({ a: v.number() }, v.string()),
};
