"use strict";

// Writes what the real serializers make of the values of dialect-values.js and the documents of dialect-wires.js:
//
//   node dialect-golden.js serializer|ejson > ../../../protocol/serializer/testdata/golden.json
//
// Each is a list of {name, wire, echo}: a document, and the one that the serializer writes for what it has read from
// the first. There is no echo where the serializer refuses the document, or what it has read.

const { dialects, read } = require("./dialects");
const values = require("./dialect-values");
const wires = require("./dialect-wires");

const dialect = process.argv[2];
const of = { serializer: "ofSerializer", ejson: "ofEJSON" }[dialect];
if (!of) {
  console.error("usage: node dialect-golden.js serializer|ejson");
  process.exit(2);
}

function golden(name, wire) {
  const got = read(dialect, wire);
  const entry = { name, wire };
  if (got) entry.echo = dialects[dialect].stringify(got.value);
  return entry;
}

const list = Object.entries(values[of]).map(([name, value]) => golden(name, dialects[dialect].stringify(value)));
for (const wire of wires[of]) list.push(golden(wire.length > 100 ? `${wire.slice(0, 90)}… (${wire.length})` : wire, wire));
console.log(`[\n${list.map((entry) => JSON.stringify(entry)).join(",\n")}\n]`);
