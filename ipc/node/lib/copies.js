"use strict";

// An application and its worker must have the same copy of Runner: any other has contexts and errors of its own. Which
// copy that is says the class of what run() has returned.

const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const path = require("node:path");
const { pathToFileURL } = require("node:url");

const NAME = "@bluelibs/runner";

// What an ES module's import in Node.js goes by.
const CONDITIONS = new Set(["node", "import", "default"]);

function hasMade(copy, runtime) {
  return typeof copy?.RunResult === "function" && runtime instanceof copy.RunResult;
}

// requiredRunner looks among all that was loaded by require.
function requiredRunner(runtime) {
  for (const module of Object.values(createRequire(`${process.cwd()}/`).cache)) {
    try {
      if (hasMade(module.exports, runtime)) return module.exports;
    } catch {
      // An export that cannot be read is not Runner.
    }
  }
  return undefined;
}

// importedRunner looks at what an import of Runner gives to an ES module in this file. Nothing is loaded twice: what the
// application has imported by the same address is the same object.
async function importedRunner(runtime, file) {
  try {
    const manifest = createRequire(file).resolve(`${NAME}/package.json`);
    const { exports } = JSON.parse(readFileSync(manifest, "utf8"));
    const target = targetOf(exports["."] ?? exports);
    const copy = await import(pathToFileURL(path.join(path.dirname(manifest), target)).href);
    return hasMade(copy, runtime) ? copy : undefined;
  } catch {
    return undefined; // it is not there, or elsewhere, or inside of a bundle
  }
}

// targetOf resolves the conditions of a package's exports.
function targetOf(exports) {
  if (typeof exports !== "object" || exports === null) return exports;
  for (const [condition, value] of Object.entries(exports)) {
    const target = CONDITIONS.has(condition) ? targetOf(value) : undefined;
    if (target) return target;
  }
  return undefined;
}

module.exports = { hasMade, importedRunner, requiredRunner };
