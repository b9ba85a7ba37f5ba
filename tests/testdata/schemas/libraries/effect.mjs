import { Schema as S } from "effect";

export const name = "effect";
export const emit = (s) => {
  const document = S.toJsonSchemaDocument(s);
  return { ...document.schema, ...(Object.keys(document.definitions ?? {}).length ? { $defs: document.definitions } : {}) };
};
export const takes = (s, value) => S.is(s)(value);

const string = (...checks) => S.String.check(...checks);
const number = (...checks) => S.Number.check(...checks);
export const leaves = {
  String: () => S.String, Finite: () => S.Finite, Int: () => S.Int, Boolean: () => S.Boolean, Null: () => S.Null, Unknown: () => S.Unknown, NonEmptyString: () => S.NonEmptyString, Trimmed: () => S.Trimmed, Char: () => S.Char, Natural: () => S.Natural, Port: () => S.Port,
  minLength: () => string(S.isMinLength(3)), maxLength: () => string(S.isMaxLength(2)), pattern: () => string(S.isPattern(/^[a-z]+$/)), unicode: () => string(S.isPattern(/^\p{L}+$/u)), lookbehind: () => string(S.isPattern(/(?<=a)b/)), backreference: () => string(S.isPattern(/(.)\1/)),
  "pattern u": () => string(S.isPattern(/^[a-z]+$/u)), "lookbehind u": () => string(S.isPattern(/(?<=a)b/u)), "backreference u": () => string(S.isPattern(/(.)\1/u)),
  startsWith: () => string(S.isStartingWith("prefix-")), endsWith: () => string(S.isEndingWith("-suffix")), includes: () => string(S.isIncluding("oo")), uuid: () => string(S.isUUID()), guid: () => string(S.isGUID()), ulid: () => string(S.isULID()), base64: () => string(S.isBase64()), base64url: () => string(S.isBase64Url()), lowercased: () => string(S.isLowercased()), uppercased: () => string(S.isUppercased()), capitalized: () => string(S.isCapitalized()), ascii: () => string(S.isAscii()), codePoints: () => string(S.isMaxCodePoints(2)),
  greater: () => number(S.isFinite(), S.isGreaterThan(0)), least: () => number(S.isFinite(), S.isGreaterThanOrEqualTo(1)), less: () => number(S.isFinite(), S.isLessThan(100)), most: () => number(S.isFinite(), S.isLessThanOrEqualTo(100)), multiple: () => number(S.isFinite(), S.isMultipleOf(5)), int32: () => number(S.isInt32()), uint32: () => number(S.isUint32()), between: () => number(S.isBetween({ minimum: 0, maximum: 255 })),
  literal: () => S.Literal("a"), literals: () => S.Literals(["a", "b", "abc"]), one: () => S.Literal(1), template: () => S.TemplateLiteral(["prefix-", S.String]), either: () => S.Union([S.String, S.Finite]), DomainName: () => S.DomainName, SemVer: () => S.SemVer,
};

export const composites = (leaf) => ({
  object: [S.Struct({ a: leaf }), "object"],
  optional: [S.Struct({ a: S.optionalKey(leaf) }), "object"],
  nullable: [S.Struct({ a: S.NullOr(leaf) }), "object"],
  array: [S.Array(leaf), "list"],
  tuple: [S.Tuple([leaf]), "list"],
  rest: [S.TupleWithRest(S.Tuple([leaf]), [S.String]), "twice"],
  record: [S.Record(S.String, leaf), "record"],
  union: [S.Union([leaf, S.Array(leaf)]), "list"],
});

export const wholes = {
  kinds: S.Union([S.Struct({ kind: S.Literal("a"), a: S.Finite }), S.Struct({ kind: S.Literal("b"), b: S.String })]),
  person: S.Struct({ name: S.NonEmptyString, age: S.Natural }),
};
