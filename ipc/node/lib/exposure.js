"use strict";

// What useExposureContext() gives to a task of a Runner application.

const { Readable } = require("node:stream");

// Runner keeps all async contexts in one store, by id: a context of this id is its own one. The ids are those of
// 5.x, 6.x and 4.x.
const CONTEXT_IDS = [
  "platform.node.ctx.exposureRequest",
  "platform-node-asyncContexts-exposureRequest",
  "platform.node.exposure.request",
];

// exposureContext returns the context whose provide() useExposureContext() sees, or undefined where a version of
// Runner has another id for it.
function exposureContext(runner) {
  const use = runner.useExposureContext ?? runner.useRpcLaneRequestContext;
  const create = runner.createContext ?? ((id) => runner.r.asyncContext(id).build());
  const probe = {};
  for (const id of CONTEXT_IDS) {
    try {
      const context = create(id);
      if (context.provide(probe, use) === probe) return context;
    } catch {
      // Not the id of this version.
    }
  }
  return undefined;
}

// ExposureRequest has what the value has: all of it is made when it is asked for.
class ExposureRequest {
  #call;
  #url;
  #req;

  constructor(call) {
    this.#call = call;
  }

  get req() {
    return (this.#req ??= request(this.#call));
  }

  get res() {
    return this.#call.response;
  }

  get url() {
    return (this.#url ??= new URL(this.#call.message.url || "/", "http://localhost"));
  }

  get basePath() {
    return this.#call.message.basePath;
  }

  get headers() {
    return this.#call.headers;
  }

  get method() {
    return this.#call.message.method;
  }

  get signal() {
    return this.#call.signal;
  }

  // identity is not Runner's own: it is what the server's Authenticate function returned.
  get identity() {
    return this.#call.message.identity;
  }
}

const OWN = ["req", "res", "url", "basePath", "headers", "method", "signal"];

// plain lets an ExposureRequest look like the plain object that it is with Runner, so that copies and what is left of a
// destructuring have its members. To define them for every request would take longer than all else.
const plain = {
  get: (target, name) => Reflect.get(target, name, target),
  set: (target, name, value) =>
    Reflect.defineProperty(target, name, { value, configurable: true, enumerable: true, writable: true }),
  ownKeys: (target) => [...new Set([...OWN, ...Reflect.ownKeys(target)])],
  getOwnPropertyDescriptor(target, name) {
    const own = Reflect.getOwnPropertyDescriptor(target, name);
    if (own !== undefined || !OWN.includes(name)) return own;
    return { value: target[name], configurable: true, enumerable: true, writable: true };
  },
  getPrototypeOf: () => Object.prototype,
  preventExtensions: () => false,
};

// exposureRequest returns the value for a call.
function exposureRequest(call) {
  return new Proxy(new ExposureRequest(call), plain);
}

// BodyNeeded is for callers of a task that waits for a raw body who send JSON. Its properties are the convention of
// http-errors.
class BodyNeeded extends Error {
  expose = true;
  code = "UNSUPPORTED_MEDIA_TYPE";

  constructor() {
    super("The task takes a body of type application/octet-stream");
  }
}

// ReadBody is a request whose bytes have become the task's input: nothing is left of them, as in Runner's exposure. Who
// listens for data is told of the caller's error if they were JSON, and if it listens for errors too. All others find the
// stream ended, as they do there.
class ReadBody extends Readable {
  #isForm;
  #piping = false; // which listens for data too

  constructor(isForm) {
    super({ autoDestroy: false, read() {} });
    this.#isForm = isForm;
    Object.defineProperty(this, "readable", { value: false }); // or finished() would wait for somebody who reads
    this.push(null);
    this.once("end", () => this.destroy());
  }

  on(name, listener) {
    if (name === "data" && !this.#isForm && !this.#piping) process.nextTick(() => this.#refuse());
    return super.on(name, listener);
  }

  addListener(name, listener) {
    return this.on(name, listener);
  }

  pipe(destination, options) {
    this.#piping = true;
    try {
      return super.pipe(destination, options);
    } finally {
      this.#piping = false;
    }
  }

  #refuse() {
    if (this.listenerCount("error") > 0) this.destroy(new BodyNeeded());
  }
}

// request returns the body as node:http's request; one without bytes where it has become the task's input.
function request(call) {
  const upload = call.upload();
  const stream = upload?.readable ?? new ReadBody(call.isForm);
  const socket = { remoteAddress: call.remoteAddress };
  return Object.defineProperties(stream, {
    socket: { value: socket },
    connection: { value: socket },
    method: { value: call.message.method },
    url: { value: call.message.url },
    headers: { value: call.headers },
    rawHeaders: { get: () => Object.entries(call.headers).flat() }, // names in lower case, repeated ones joined
    httpVersion: { value: "1.1" },
    complete: { get: () => upload === undefined || upload.complete },
    aborted: { get: () => call.isCancelled },
  });
}

module.exports = { BodyNeeded, exposureContext, exposureRequest };
