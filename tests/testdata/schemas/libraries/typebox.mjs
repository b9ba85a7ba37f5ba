// What both typeboxes have.
export const typeboxLeaves = (T) => ({
  String: () => T.String(), Number: () => T.Number(), Integer: () => T.Integer(), Boolean: () => T.Boolean(), Null: () => T.Null(), Unknown: () => T.Unknown(), Any: () => T.Any(),
  minLength: () => T.String({ minLength: 3 }), maxLength: () => T.String({ maxLength: 2 }), pattern: () => T.String({ pattern: "^[a-z]+$" }), unicode: () => T.String({ pattern: "^\\p{L}+$" }), lookbehind: () => T.String({ pattern: "(?<=a)b" }), backreference: () => T.String({ pattern: "(.)\\1" }), spaces: () => T.String({ pattern: "^\\S+$" }),
  minimum: () => T.Number({ minimum: 1 }), maximum: () => T.Number({ maximum: 100 }), exclusiveMinimum: () => T.Number({ exclusiveMinimum: 0 }), exclusiveMaximum: () => T.Number({ exclusiveMaximum: 100 }), multipleOf: () => T.Number({ multipleOf: 5 }), tenths: () => T.Number({ multipleOf: 0.1 }), byte: () => T.Integer({ minimum: 0, maximum: 255 }),
  literal: () => T.Literal("a"), one: () => T.Literal(1), yes: () => T.Literal(true), choice: () => T.Union([T.Literal("a"), T.Literal("b"), T.Literal("abc")]), template: () => T.TemplateLiteral("prefix-${string}"), either: () => T.Union([T.String(), T.Number()]),
  list: () => T.Array(T.Number(), { uniqueItems: true }), few: () => T.Array(T.Any(), { minItems: 1, maxItems: 2 }), contains: () => T.Array(T.Any(), { contains: T.Literal(1) }), members: () => T.Object({}, { minProperties: 1, maxProperties: 2 }),
});

export const typeboxComposites = (T) => (leaf) => ({
  object: [T.Object({ a: leaf }), "object"],
  optional: [T.Object({ a: T.Optional(leaf), b: T.Optional(T.Number()) }), "object"],
  strict: [T.Object({ a: leaf }, { additionalProperties: false }), "object"],
  others: [T.Object({ b: T.Optional(T.Number()) }, { additionalProperties: leaf }), "object"],
  array: [T.Array(leaf), "list"],
  bounded: [T.Array(leaf, { minItems: 1, maxItems: 2 }), "twice"],
  tuple: [T.Tuple([leaf]), "list"],
  pair: [T.Tuple([leaf, leaf]), "twice"],
  record: [T.Record(T.String(), leaf), "record"],
  keyed: [T.Record(T.String({ pattern: "^x\\d$" }), leaf), "record"],
  union: [T.Union([leaf, T.Array(leaf)]), "list"],
  both: [T.Intersect([T.Object({ a: leaf }), T.Object({ b: T.Optional(T.Number()) })]), "object"],
  closed: [T.Intersect([T.Object({ a: leaf }), T.Object({ b: T.Optional(T.Number()) })], { unevaluatedProperties: false }), "object"],
});

export const typeboxWholes = (T) => ({
  kinds: T.Union([T.Object({ kind: T.Literal("a"), a: T.Number() }), T.Object({ kind: T.Literal("b"), b: T.String() })]),
  person: T.Object({ name: T.String({ minLength: 1 }), age: T.Integer({ minimum: 0 }) }),
  mixed: T.Tuple([T.String(), T.Number()]),
});
