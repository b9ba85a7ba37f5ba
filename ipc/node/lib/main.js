"use strict";

// The program of a worker that is a module: node - FILE, with this on the standard input. It imports the module and
// serves what that exports.

const { readFileSync } = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { importedRunner, requiredRunner } = require("./copies.js");
const { isOffered, die, tell } = require("./channel.js");
const { describe } = require("./describe.js");
const { createWorkerListener } = require("./listener.js");
const { isModule } = require("./module.js");
const { isRuntime } = require("./runner.js");
const { isNode, refusal } = require("./runtime.js");

const USAGE =
  'export const tasks = { "my.task": (input) => … }, events likewise, or a running Runner application as runtime';
const MAX_NAMES = 20;
const HIDDEN = ["default", "module.exports", "__esModule"];

// find returns what to serve, { source, runner }, of what a module exports; undefined if that is nothing.
async function find(exported) {
  if (isRuntime(exported)) return { source: exported };
  if (exported?.runtime !== undefined) {
    const found = await find(await resolve(exported.runtime));
    return found && { ...found, runner: found.runner ?? exported.runner };
  }
  return isModule(exported) ? { source: exported } : undefined;
}

// findInModule looks at the default export first: to an import, the rest of module.exports is only what it could guess
// of it. The default of a default is that of a CommonJS module made by a compiler.
async function findInModule(namespace) {
  const defaults = [namespace.default, namespace.default?.default].filter((value) => value !== undefined);
  const beside = [namespace, ...defaults].find((value) => value?.runner !== undefined)?.runner;
  const withRunner = (found) => found && { ...found, runner: found.runner ?? beside };
  for (const value of [...defaults, namespace]) {
    if (typeof value === "object" && typeof value?.then !== "function") {
      const found = await find(value);
      if (found) return withRunner(found);
    }
  }
  for (const value of defaults) {
    const found = await find(await resolve(value));
    if (found) return withRunner(found);
  }
  return undefined;
}

// exportsOf says what a module exports in the place of something to serve.
async function exportsOf(namespace) {
  const given = namespace.default ?? namespace;
  if (typeof given !== "object") return `Its default export is a ${typeof given}`;
  if ("runtime" in given) {
    if (typeof given.runtime === "function") return "What its runtime() returns is not what run() of Runner returns";
    return `Its runtime is ${kindOf(await given.runtime)}, which run() of Runner does not return`;
  }
  const names = namesOf(given);
  return `It exports ${names || "nothing"}`;
}

function kindOf(value) {
  if (typeof value !== "object" || value === null) return String(value === null ? null : typeof value);
  const names = namesOf(value);
  return names ? `an object with ${names}` : "an empty object";
}

function namesOf(object) {
  const names = Object.keys(object).filter((name) => !HIDDEN.includes(name));
  return names.length > MAX_NAMES ? `${names.slice(0, MAX_NAMES).join(", ")}, …` : names.join(", ");
}

// runnerOf returns the copy of Runner to serve with, as far as one is exported or has to be looked for with an import:
// the listener looks for the others.
async function runnerOf({ source, runner }, file) {
  if (runner !== undefined || !isRuntime(source) || requiredRunner(source) !== undefined) return runner;
  return importedRunner(source, file);
}

// resolve calls what is a function and waits for what is a promise.
async function resolve(value) {
  return typeof value === "function" ? value() : value;
}

// showSources makes stacks name the files that a compiler has read, if it has left a map for this one and no flag says
// no. Each stack that is looked at takes twice the time then, which is why it is not done for all.
function showSources(file) {
  const flags = `${process.execArgv.join(" ")} ${process.env.NODE_OPTIONS}`;
  if (flags.includes("--no-enable-source-maps")) return;
  try {
    if (readFileSync(file, "latin1").includes("//# sourceMappingURL=")) process.setSourceMapsEnabled?.(true);
  } catch {
    // To import it will fail, too.
  }
}

// hideFlag takes the flag that the Go package has added out of what worker threads and children are started with: a
// thread that gets it refuses to start.
function hideFlag() {
  const at = process.execArgv.indexOf("--initial-old-space-size=128");
  if (at !== -1) process.execArgv.splice(at, 1);
}

async function main(name) {
  const refused = refusal();
  if (refused) die(`go-tunnel worker: ${refused}`, 1);
  if (name === undefined) die("go-tunnel worker: no module given", 1);
  const file = path.resolve(name);
  hideFlag();
  // What waits for something that nothing can bring ends the process, and in silence.
  const onExit = (code) => {
    if (code === 0) die(`go-tunnel worker: ${file} came to its end before it was ready`, 1);
  };
  process.once("exit", onExit);
  showSources(file);
  try {
    const namespace = await import(pathToFileURL(file).href);
    const found = await findInModule(namespace);
    if (found) createWorkerListener(found.source, { runner: await runnerOf(found, file) });
    // A module may have called createWorkerListener itself.
    else if (isOffered()) die(`go-tunnel worker: ${file} exports nothing to serve: ${USAGE}. ${await exportsOf(namespace)}`, 1);
  } catch (error) {
    process.off("exit", onExit);
    return refuse(file, error);
  }
  process.off("exit", onExit);
}

// refuse ends the process because the module cannot be loaded. Of the place of a syntax error in an ES module only
// Node.js itself knows, which tells it about errors that nobody catches.
function refuse(file, error) {
  const text = describe(error);
  const head = `go-tunnel worker: cannot load ${file}:`;
  if (!isNode || !/^SyntaxError.*$/.test(text)) die(`${head}\n${text.replace(/$/m, advice(error))}`, 1);
  tell(head);
  process.setUncaughtExceptionCaptureCallback?.(null);
  process.removeAllListeners("uncaughtException");
  process.nextTick(() => {
    throw error;
  });
}

function advice(error) {
  if (error?.code !== "ERR_UNKNOWN_FILE_EXTENSION" || !/"\.[mc]?tsx?"/.test(error.message)) return "";
  return ` (Node.js ${process.version} does not run TypeScript: compile it, or add the flags --import tsx)`;
}

main(process.argv.length > 1 ? process.argv.at(-1) : undefined);
