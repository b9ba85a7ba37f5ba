// Answers each line of standard input, {"pattern":…,"texts":[…]}, with a line: null if
// that is no regular expression with flag u, or whether it matches each of the texts.
const { createInterface } = require("node:readline");

createInterface({ input: process.stdin }).on("line", (line) => {
  const { pattern, texts } = JSON.parse(line);
  let verdict = null;
  try {
    const one = new RegExp(pattern, "u");
    verdict = texts.map((text) => one.test(text));
  } catch {}
  process.stdout.write(JSON.stringify(verdict) + "\n");
});
