"use strict";

// The real serializers of Runner 5 and of Runner 4, as the tests of both dialects have them.

const { isDeepStrictEqual } = require("node:util");
const { EJSONModule } = require("@bluelibs/ejson");
const { Serializer } = require("@bluelibs/runner");
const { pointType } = require("./values");

Error.stackTraceLimit = 0; // no paths in what is written

const serializer = new Serializer();
serializer.addType(pointType);

class EJSONPoint {
  constructor({ x, y }) {
    Object.assign(this, { x, y });
  }
  typeName() {
    return "Point";
  }
  toJSONValue() {
    return { x: this.x, y: this.y };
  }
}

const ejson = new EJSONModule();
ejson.addType("Point", (value) => new EJSONPoint(value));

const dialects = { serializer, ejson };

// read returns undefined for a document that is refused, else what it holds.
function read(dialect, wire) {
  try {
    return { value: dialects[dialect].parse(wire) };
  } catch {
    return undefined;
  }
}

module.exports = { dialects, isDeepStrictEqual, read, EJSONPoint };
