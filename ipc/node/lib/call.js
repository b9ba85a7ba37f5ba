"use strict";

// One call, from its message to its answer.

const { encodeResult, encodeError } = require("./frames.js");

// The sources that a listener serves get a Call and answer it, then or later, with exactly one of succeed, answer and
// fail. What a handler may ask about the request is made when it asks.
class Call {
  #listener;
  #message;
  #controller;
  #headers;
  #cancelled = false;
  done = false;

  constructor(listener, message) {
    this.#listener = listener;
    this.#message = message;
  }

  get id() {
    return this.#message.id;
  }

  // message is as it came, see frames.js.
  get message() {
    return this.#message;
  }

  // headers have lower-case names. The request id is the one that the server has settled on.
  get headers() {
    return (this.#headers ??= parseHeaders(this.#message));
  }

  get signal() {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cancelled) this.#abort();
    }
    return this.#controller.signal;
  }

  // isAbort says whether error is what the signal was aborted with.
  isAbort(error) {
    return this.#cancelled && this.#controller !== undefined && this.#controller.signal.reason === error;
  }

  cancel() {
    this.#cancelled = true;
    if (this.#controller !== undefined) this.#abort();
  }

  #abort() {
    this.#controller.abort(this.#listener.abortReason());
  }

  // succeed answers with the JSON text of a result; undefined: none.
  succeed(json) {
    this.#end(encodeResult(this.#message.id, json));
  }

  // answer takes the JSON text of an object that lacks nothing but the call's id.
  answer(json) {
    // Text that is made to be read has line ends, which are blanks to JSON: inside a string they are escaped.
    const line = json.includes("\n") ? json.replaceAll("\n", " ") : json;
    this.#end(`{"id":${this.#message.id},${line.slice(1)}\n`);
  }

  // fail answers with { message, code, … }.
  fail(error) {
    this.#end(encodeError(this.#message.id, error));
  }

  // crash answers with an error whose text is for the server's log only.
  crash(error) {
    this.fail({ message: describe(error), code: "EXECUTION_ERROR" });
  }

  #end(line) {
    if (this.done) return;
    this.done = true;
    this.#listener.finish(this, line);
  }
}

const REQUEST_ID = "x-runner-request-id";

function parseHeaders({ headers, requestId }) {
  const parsed = {};
  if (headers) {
    const parts = headers.split("\n");
    for (let i = 0; i + 1 < parts.length; i += 2) parsed[parts[i]] = parts[i + 1];
  }
  if (requestId !== undefined) parsed[REQUEST_ID] = requestId;
  return parsed;
}

// describe makes text of whatever was thrown.
function describe(error) {
  try {
    return String(error?.stack || error?.message || error);
  } catch {
    return "an error that cannot be printed";
  }
}

module.exports = { Call, describe };
