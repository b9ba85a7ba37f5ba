// Writes ../properties.txt anew, with the names that it has: node properties.js
const { readFileSync, writeFileSync } = require("node:fs");
const path = require("node:path");

const file = path.join(__dirname, "..", "properties.txt");
const prefix = { gc: "gc=", b: "", sc: "sc=", scx: "scx=" };

function spans(property) {
  const one = new RegExp(`^\\p{${property}}$`, "u");
  const found = [];
  let next = 0;
  let start = -1;
  for (let c = 0; c <= 0x110000; c++) {
    const is = c < 0x110000 && one.test(String.fromCodePoint(c));
    if (is && start < 0) start = c;
    if (!is && start >= 0) {
      found.push((start - next).toString(36) + (c - 1 > start ? "-" + (c - 1 - start).toString(36) : ""));
      next = c;
      start = -1;
    }
  }
  return found.join(" ");
}

const lines = [];
for (const line of readFileSync(file, "utf8").trim().split("\n")) {
  const [kind, names] = line.split(":", 1)[0].split(" ");
  lines.push(`${kind} ${names}: ${spans(prefix[kind] + names.split(",")[0])}\n`);
}
writeFileSync(file, lines.join(""));
