"use strict";

// What useExposureContext() gives to a task of a Runner application.

const { Readable, Writable } = require("node:stream");

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

// ExposureRequest is the value: all of it is made when it is asked for.
class ExposureRequest {
  #call;
  #url;
  #req;
  #res;

  constructor(call) {
    this.#call = call;
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

  get req() {
    return (this.#req ??= new EmptyRequest(this.#call));
  }

  get res() {
    return (this.#res ??= new ClosedResponse());
  }
}

// EmptyRequest stands for a request whose body has become the task's input.
class EmptyRequest extends Readable {
  httpVersion = "1.1";
  complete = true;

  constructor({ message, headers }) {
    super({ autoDestroy: false });
    this.method = message.method;
    this.url = message.url;
    this.headers = headers;
  }

  _read() {
    this.push(null);
  }
}

// ClosedResponse says why nothing can be written, where it is written: later would be an uncaught exception.
class ClosedResponse extends Writable {
  statusCode = 200;
  headersSent = false;

  constructor() {
    super();
    this.on("pipe", (source) => {
      source.unpipe(this);
      refuse();
    });
  }
}

for (const name of ["write", "end", "writeHead", "setHeader", "appendHeader", "removeHeader", "flushHeaders"]) {
  ClosedResponse.prototype[name] = refuse;
}

function refuse() {
  throw new Error("a task cannot write the HTTP response here: go-tunnel writes it, from what the task returns");
}

module.exports = { exposureContext, ExposureRequest };
