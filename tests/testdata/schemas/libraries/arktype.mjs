import { type } from "arktype";

export const name = "arktype";
export const emit = (s) => s.in.toJsonSchema({ fallback: { predicate: (context) => context.base } });
export const takes = (s, value) => !(s(value) instanceof type.errors);

export const leaves = {};
for (const definition of ["string", "number", "boolean", "null", "unknown", "string.alpha", "string.alphanumeric", "string.base64", "string.base64.url", "string.capitalize.preformatted", "string.creditCard", "string.date.iso", "string.date.epoch", "string.digits", "string.email", "string.hex", "string.integer", "string.ip", "string.ip.v4", "string.ip.v6", "string.lower.preformatted", "string.numeric", "string.regex", "string.semver", "string.trim.preformatted", "string.upper.preformatted", "string.url", "string.uuid", "string.uuid.v4",
  "string > 2", "string < 3", "string == 2", "/^[a-z]+$/", "/(.)\\1/", "/(?<=a)b/", "/^\\S+$/", "/[^]/", "'a'", "1", "true", "'a' | 'b' | 'abc'", "number > 0", "number >= 1", "number <= 100", "number < 100", "number % 5", "number.integer", "0 < number < 100", "string | number", "string | null", "number[]", "string[]"]) {
  leaves[definition] = () => type(definition);
}

export const composites = (leaf) => ({
  object: [type({ a: leaf }), "object"],
  optional: [type({ "a?": leaf }), "object"],
  strict: [type({ "+": "reject", a: leaf }), "object"],
  nullable: [type({ a: leaf.or("null") }), "object"],
  array: [leaf.array(), "list"],
  bounded: [leaf.array().atLeastLength(1).atMostLength(2), "twice"],
  tuple: [type([leaf]), "list"],
  record: [type({ "[string]": leaf }), "record"],
  union: [leaf.or(leaf.array()), "list"],
});

export const wholes = {
  kinds: type({ kind: "'a'", a: "number" }).or({ kind: "'b'", b: "string" }),
  person: type({ name: "string > 0", age: "number.integer >= 0" }),
};
