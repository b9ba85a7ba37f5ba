"use strict";

// Starts workers for the tests and talks to them, as the server does.

const { spawn } = require("node:child_process");
const { once } = require("node:events");
const { readdirSync, readFileSync } = require("node:fs");
const path = require("node:path");

const lib = path.join(__dirname, "../lib");

// bundle makes one program of the runtime, as ipc.Node does in Go.
function bundle() {
  const files = readdirSync(lib).map((name) => {
    const source = readFileSync(path.join(lib, name), "utf8");
    return `${JSON.stringify(`./${name}`)}: function (module, exports, require) {\n${source}\n},\n`;
  });
  return `const files = {\n${files.join("")}};\n${readFileSync(path.join(lib, "../loader.js"), "utf8")}`;
}

// readMessages calls receive(message, bytes) for each message of a worker.
function readMessages(input, receive) {
  let parts = []; // of the line, or of the bytes
  let message; // whose bytes are coming
  let missing = 0;
  const take = () => {
    const whole = Buffer.concat(parts);
    parts = [];
    return whole;
  };
  input.on("data", (chunk) => {
    while (chunk.length > 0) {
      const newline = chunk.indexOf(10);
      const size = message ? Math.min(missing, chunk.length) : newline + 1 || chunk.length;
      parts.push(chunk.subarray(0, size));
      chunk = chunk.subarray(size);
      if (message) {
        missing -= size;
      } else if (newline !== -1) {
        message = JSON.parse(take().toString());
        missing = message.n ?? 0;
      }
      if (message && missing === 0) {
        const complete = message;
        message = undefined;
        receive(complete, take());
      }
    }
  });
}

// Result is the streamed result of a call, as it comes. While grant is true, what has come is granted anew.
class Result {
  #ended;
  chunks = [];
  grant = true;
  wake = () => {};
  end; // takes the message end

  constructor() {
    this.#ended = new Promise((resolve) => (this.end = resolve));
  }

  get length() {
    return this.chunks.reduce((sum, { length }) => sum + length, 0);
  }

  // all waits for the end and returns { bytes, error }.
  async all() {
    const { error } = await this.#ended;
    return { bytes: Buffer.concat(this.chunks), error };
  }

  // atLeast waits for so many bytes.
  async atLeast(length) {
    while (this.length < length) await new Promise((resolve) => (this.wake = resolve));
  }
}

class Worker {
  #answers = new Map(); // who waits for the answer of a call, by id
  #results = new Map(); // streamed results, by id of the call
  #controls = []; // messages that are no answers
  #wake = () => {};
  #wakePrinted = () => {};
  #id = 0;
  messages = []; // all of them
  stdout = "";
  stderr = "";

  // A worker is started with node's arguments, and text for its standard input.
  constructor(args, { input = "", stdio = false, cwd = path.join(__dirname, "fixtures"), env = {} } = {}) {
    this.process = spawn(process.execPath, args, {
      cwd,
      stdio: ["pipe", "pipe", "pipe", ...(stdio ? [] : ["pipe", "pipe"])],
      env: { ...process.env, TUNNEL_IPC: stdio ? "stdio" : "3,4", ...env },
    });
    const { process: child } = this;
    [this.input, this.output] = stdio ? [child.stdin, child.stdout] : child.stdio.slice(3);
    if (!stdio) {
      child.stdin.end(input);
      child.stdout.setEncoding("utf8").on("data", (text) => {
        this.stdout += text;
        this.#wakePrinted();
      });
    }
    child.stderr.setEncoding("utf8").on("data", (text) => (this.stderr += text));
    this.input.on("error", () => {}); // it may end before it has read all
    readMessages(this.output, (message, bytes) => this.#receive(message, bytes));
    this.exit = once(child, "close").then(([code, signal]) => {
      this.#wake();
      for (const reject of this.#answers.values()) reject(undefined);
      return code ?? signal;
    });
  }

  #receive(message, bytes) {
    this.messages.push(message);
    if (message.type === undefined) {
      this.#answers.get(message.id)?.(message);
      this.#answers.delete(message.id);
    } else if (message.type === "data") {
      const result = this.#results.get(message.id);
      result.chunks.push(bytes);
      if (result.grant) this.send({ type: "window", id: message.id, size: bytes.length });
      result.wake();
    } else if (message.type === "end") {
      this.#results.get(message.id).end(message);
    } else {
      this.#controls.push(message);
      this.#wake();
    }
  }

  // control returns the next message that is no answer; undefined after the worker's end.
  async control() {
    if (this.#controls.length === 0) await new Promise((resolve) => (this.#wake = resolve));
    return this.#controls.shift();
  }

  // printed waits until the worker has printed a text. What it prints takes another way than its messages.
  async printed(text) {
    while (!this.stdout.includes(text)) await new Promise((resolve) => (this.#wakePrinted = resolve));
  }

  // send writes a message in ASCII, and what it announces in UTF-8.
  send(message, payload) {
    const bytes = payload === undefined ? undefined : Buffer.from(payload);
    const line = JSON.stringify({ ...message, n: bytes?.length });
    const escape = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
    this.input.write(`${line.replace(/[^\0-\x7f]/g, escape)}\n`);
    if (bytes) this.input.write(bytes);
  }

  // start sends a call and returns { id, answer, result }. The promise answer is undefined if the worker ends without
  // one; result is for a streamed one.
  start(message, payload) {
    const id = ++this.#id;
    const answer = new Promise((resolve) => this.#answers.set(id, resolve));
    const result = new Result();
    this.#results.set(id, result);
    this.send({ ...message, id }, payload);
    return { id, answer, result };
  }

  task(taskId, input, more) {
    return this.#call({ type: "task", taskId, ...more }, input);
  }

  event(eventId, payload, more) {
    return this.#call({ type: "event", eventId, ...more }, payload);
  }

  auth(more) {
    return this.start({ type: "auth", method: "POST", url: "/__runner/task/a", ...more }).answer.then(withoutId);
  }

  #call(message, value) {
    return this.start(message, value === undefined ? undefined : JSON.stringify(value)).answer.then(withoutId);
  }

  // end closes the pipe and waits for the exit code.
  end() {
    this.input.end();
    return this.exit;
  }
}

function withoutId(answer) {
  if (answer === undefined) return undefined;
  const { id, ...rest } = answer;
  return rest;
}

// startWorker starts the fixture and waits for its hello. It is ended after the test at the latest.
async function startWorker(t, args, options) {
  const worker = new Worker(args, options);
  t.after(() => worker.process.kill("SIGKILL"));
  worker.hello = await worker.control();
  return worker;
}

// startModule serves a module with the runtime that the Go package brings along.
function startModule(t, file, options) {
  return startWorker(t, ["-", file], { input: bundle(), ...options });
}

module.exports = { startWorker, startModule };
