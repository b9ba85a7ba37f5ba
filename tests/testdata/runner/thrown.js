"use strict";

// The errors of full.js, and what its tasks and hooks throw.

const { cancellationError, r } = require("@bluelibs/runner");

const error = (name) => r.error(`full.errors.${name}`);

const errors = {
  plain: error("plain").format(({ text }) => `Plain ${text}`).build(),
  coded: error("coded").httpCode(422).format(() => "Coded").build(),
  helped: error("helped").httpCode(400).format(() => "Helped").remediation("Ask someone.").build(),
  helpedWith: error("helpedWith").format(() => "Helped").remediation(({ who }) => `Ask ${who}.`).build(),
  mute: error("mute").format(() => "").build(),
  noData: error("noData").dataSchema({ parse: () => undefined }).format(() => "No data").build(),
  noDataCoded: error("noDataCoded")
    .httpCode(404)
    .dataSchema({ parse: () => undefined })
    .format(() => "No data")
    .build(),
  strict: error("strict")
    .dataSchema({
      parse: () => {
        throw new Error("secret of a schema");
      },
    })
    .format(() => "Strict")
    .build(),
};
const unregistered = error("unregistered").httpCode(404).format(() => "secret of an unregistered error").build();

const typedData = {
  when: new Date(0),
  map: new Map([["a", 1n]]),
  undefined: undefined,
  nan: NaN,
  stack: "kept",
  sql: "kept",
};

// throwing is what tasks and hooks throw, by name.
const throwing = {
  plain: () => errors.plain.new({ text: "č \"" }),
  "plain, line separator": () => errors.plain.new({ text: "\u2028" }),
  "plain, typed data": () => errors.plain.new({ text: "typed", ...typedData }),
  "plain, no data": () => errors.plain.new(),
  coded: () => errors.coded.new(),
  "coded, typed data": () => errors.coded.new(typedData),
  "coded, another code": () => Object.assign(errors.coded.new({ a: 1 }), { httpCode: 409 }),
  "coded, a bad code": () => Object.assign(errors.coded.new({ a: 1 }), { httpCode: 600 }),
  "coded, 500": () => Object.assign(errors.coded.new({ a: 1 }), { httpCode: 500 }),
  "plain, a code": () => Object.assign(errors.plain.new({ text: "a" }), { httpCode: 404 }),
  "plain, another message": () => Object.assign(errors.plain.new({ text: "a" }), { message: "another" }),
  "plain, empty message": () => Object.assign(errors.plain.new({ text: "a" }), { message: "" }),
  "plain, another name": () => Object.assign(errors.plain.new({ text: "a" }), { name: "another" }),
  "plain, more members": () =>
    Object.assign(errors.plain.new({ text: "a" }), { code: "OWN", id: "own", sql: "secret", details: 1 }),
  "plain, data that cannot be sent": () => errors.plain.new({ text: "a", f() {} }),
  "plain, cycle in data": () => {
    const data = { text: "a" };
    data.data = data;
    return errors.plain.new(data);
  },
  "plain, data null": () => Object.assign(errors.plain.new({ text: "a" }), { data: null }),
  "plain, data undefined": () => Object.assign(errors.plain.new({ text: "a" }), { data: undefined }),
  "plain, data a string": () => Object.assign(errors.plain.new({ text: "a" }), { data: "text" }),
  "plain, data with names of the serializer": () => errors.plain.new({ text: "a", __type: "Date", value: 0 }),
  helped: () => errors.helped.new(),
  "helped with": () => errors.helpedWith.new({ who: "Ada" }),
  mute: () => errors.mute.new(),
  "no data": () => errors.noData.new(),
  "no data, coded": () => errors.noDataCoded.new(),
  "data that its schema refuses": () => errors.strict.new(),
  unregistered: () => unregistered.new(),
  forged: () =>
    Object.assign(new Error("secret"), { name: errors.coded.id, id: errors.coded.id, httpCode: 404, data: 1 }),
  Error: () =>
    Object.assign(new Error("secret"), { code: "NOT_FOUND", httpCode: 404, id: "own", data: 1, expose: true }),
  "protocol error": () => Object.assign(new Error("secret"), { code: "FORBIDDEN", codeName: "FORBIDDEN", status: 403 }),
  string: () => "secret",
  object: () => ({ message: "secret", code: "NOT_FOUND", httpCode: 404 }),
  null: () => null,
  undefined: () => undefined,
  number: () => 404,
  "no prototype": () => Object.create(null),
  "object that cannot be printed": () => ({
    get message() {
      throw new Error("secret");
    },
    toString() {
      throw new Error("secret");
    },
  }),
  cancellation: () => cancellationError.new({ reason: "by the task" }),
  "cancellation without a reason": () => cancellationError.new(),
  "cancellation, a code": () => Object.assign(cancellationError.new(), { httpCode: 404 }),
  "error with a cause": () => new Error("secret", { cause: errors.coded.new() }),
};

module.exports = { errors, throwing };
