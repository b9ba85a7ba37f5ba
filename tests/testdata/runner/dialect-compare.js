"use strict";

// Compares what Go has read from documents with what the real serializers read. Each line of the input is
// {dialect, wire, echo}: a document, and the one that Go wrote for what it had read from the first. Each line of the
// output is {accepted, equal}: whether the real serializer reads the document, and whether it reads the same from both.

const { createInterface } = require("node:readline");
const { isDeepStrictEqual, read } = require("./dialects");

createInterface({ input: process.stdin }).on("line", (line) => {
  const { dialect, wire, echo } = JSON.parse(line);
  const [original, copy] = [read(dialect, wire), read(dialect, echo)];
  const accepted = original !== undefined;
  console.log(JSON.stringify({ accepted, equal: accepted && copy !== undefined && isDeepStrictEqual(original.value, copy.value) }));
});
