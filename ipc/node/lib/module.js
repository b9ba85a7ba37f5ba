"use strict";

// The source of a task module: { tasks, events, authenticate, dispose, schemas, idempotent }, or a Map of tasks.

const { describe } = require("./describe.js");
const { InputFile, fillIn, mayNameFiles, receivedFile, withoutForm } = require("./file.js");
const { encode, streamOf } = require("./result.js");

const ReceivedFile = receivedFile(InputFile);

const INVALID_JSON = { message: "Invalid JSON body", code: "INVALID_JSON" };
const INVALID_MANIFEST = { message: "Invalid manifest", code: "INVALID_MULTIPART" };
const ABORTED = { message: "Client Closed Request", code: "REQUEST_ABORTED" };
const UNAUTHORIZED = { message: "Unauthorized", code: "UNAUTHORIZED" };

// isModule says whether value is something that moduleSource takes.
function isModule(value) {
  return value instanceof Map || isRecord(value?.tasks) || isRecord(value?.events);
}

function moduleSource(module) {
  if (!isModule(module)) {
    throw new TypeError("a worker needs { tasks, events }, a Map of tasks, or a running Runner application");
  }
  const { tasks, events, authenticate, dispose, schemas, idempotent } = module instanceof Map ? { tasks: module } : module;
  for (const [name, value] of Object.entries({ authenticate, dispose })) {
    if (value !== undefined && typeof value !== "function") throw new TypeError(`${name} is not a function`);
  }
  const taskMap = handlers("tasks", tasks);
  checkIdempotent(idempotent, taskMap);
  return new ModuleSource(taskMap, handlers("events", events), { authenticate, dispose }, { schemas, idempotent });
}

function checkIdempotent(ids, tasks) {
  if (ids === undefined) return;
  if (!Array.isArray(ids)) throw new TypeError("idempotent is not an array of task ids");
  for (const id of ids) {
    if (!tasks.has(id)) throw new TypeError(`idempotent names ${JSON.stringify(id)}, which is no task`);
  }
}

// handlers makes a Map of them, where no name finds what an object has inherited. A given Map is kept: it may grow.
function handlers(kind, given = {}) {
  if (!isRecord(given)) throw new TypeError(`${kind} is neither an object nor a Map`);
  const map = given instanceof Map ? given : new Map(Object.entries(given));
  for (const [id, handler] of map) {
    if (typeof handler !== "function") throw new TypeError(`${kind}[${JSON.stringify(id)}] is not a function`);
  }
  return map;
}

class ModuleSource {
  #tasks;
  #events;
  #authenticate;
  #dispose;
  #properties;

  // The properties of tasks, { schemas, idempotent }, are for the server.
  constructor(tasks, events, { authenticate, dispose }, properties) {
    this.#tasks = tasks;
    this.#events = events;
    this.#authenticate = authenticate;
    this.#dispose = dispose;
    this.#properties = properties;
  }

  hello() {
    return {
      tasks: [...this.#tasks.keys()],
      events: [...this.#events.keys()],
      auth: this.#authenticate !== undefined,
      ...this.#properties,
    };
  }

  async dispose() {
    await this.#dispose?.();
  }

  abortReason() {
    const error = new Error("Client Closed Request");
    error.name = "AbortError";
    return error;
  }

  task(call, text) {
    const id = call.message.taskId;
    const handler = this.#tasks.get(id);
    if (handler === undefined) return call.fail({ message: `Task ${id} not found`, code: "NOT_FOUND" });
    run(call, text, handler, (result) => {
      const stream = streamOf(result);
      if (stream) call.stream(stream).catch((error) => fail(call, error)).catch((error) => call.crash(error));
      else call.succeed(encode(result));
    });
  }

  event(call, text) {
    const { eventId: id, returnPayload } = call.message;
    const handler = this.#events.get(id);
    if (handler === undefined) return call.fail({ message: `Event ${id} not found`, code: "NOT_FOUND" });
    run(call, text, handler, (result, payload) => {
      call.succeed(returnPayload ? encodePayload(id, result === undefined ? payload : result) : undefined);
    });
  }

  // auth allows only what authenticate has said a clear yes to.
  auth(call) {
    if (this.#authenticate === undefined) return call.fail(UNAUTHORIZED);
    const refuse = (error) => {
      console.error("authenticate failed:", error);
      const forbidden = isPublic(error) && statusOf(error) === 403;
      call.fail(forbidden ? { message: String(error.message), code: "FORBIDDEN" } : UNAUTHORIZED);
    };
    const decide = (identity) => {
      if (!identity) return call.fail(UNAUTHORIZED);
      call.succeed(identity === true ? undefined : encode(identity));
    };
    settle(call, () => this.#authenticate(new AuthContext(call)), decide, refuse);
  }
}

// run calls the handler with the value of text, and succeed with what it returned and that value.
function run(call, text, handler, succeed) {
  let input;
  try {
    input = decode(call, text);
  } catch {
    return call.fail(call.isForm ? INVALID_MANIFEST : INVALID_JSON);
  }
  settle(
    call,
    () => handler(input, new TaskContext(call)),
    (result) => succeed(result, input),
    (error) => fail(call, error),
  );
}

function decode(call, text) {
  if (text === undefined) return call.upload()?.readable;
  const value = UNSAFE.test(text) ? JSON.parse(text, dropUnsafe) : JSON.parse(text);
  if (call.isForm) return fillIn(call, value, ReceivedFile);
  return mayNameFiles(text) ? withoutForm(call, value) : value;
}

// Members of these names are dropped, as Runner's serializer drops them: code that copies an input member by member
// would let its caller change prototypes. An escape may spell any of them.
const UNSAFE = /__proto__|constructor|prototype|\\u/;

function dropUnsafe(name, value) {
  return name === "__proto__" || name === "constructor" || name === "prototype" ? undefined : value;
}

// settle calls exactly one of done and failed, and at once where start has not returned a promise.
// failed gets what done throws too. Even to look at what was thrown may throw: the call ends with that, not the process.
function settle(call, start, done, failed) {
  let result;
  try {
    result = start();
    if (typeof result?.then !== "function") return done(result);
  } catch (error) {
    return failed(error);
  }
  Promise.resolve(result).then(done).catch(failed).catch((error) => call.crash(error));
}

function encodePayload(id, result) {
  if (streamOf(result)) throw new TypeError(`${id} returned a stream, which only a task can`);
  return encode(result);
}

function fail(call, error) {
  if (call.isAbort(error)) return call.fail(ABORTED);
  if (!isPublic(error)) return call.crash(error);
  const { message, id, data } = error;
  const code = typeof error.code === "string" ? error.code : undefined;
  // The server lets an error through that has an id, a status, or a code that it knows.
  const httpCode = statusOf(error) ?? (id === undefined && code === undefined ? 500 : undefined);
  try {
    call.fail({ message: String(message), code: code ?? "INTERNAL_ERROR", id, data, httpCode });
  } catch (unsendable) {
    call.crash(`${describe(error)}\n(its data cannot be sent: ${describe(unsendable)})`);
  }
}

// isPublic: the convention of http-errors. All else stays in the log.
function isPublic(error) {
  return error?.expose === true;
}

function statusOf({ httpCode, status }) {
  const code = httpCode ?? status;
  return Number.isInteger(code) && code >= 100 && code <= 599 ? code : undefined;
}

// TaskContext is what a handler gets as its second argument.
class TaskContext {
  #call;

  constructor(call) {
    this.#call = call;
  }

  get id() {
    return this.#call.message.taskId ?? this.#call.message.eventId;
  }

  get requestId() {
    return this.#call.message.requestId;
  }

  get method() {
    return this.#call.message.method;
  }

  get url() {
    return this.#call.message.url;
  }

  get basePath() {
    return this.#call.message.basePath;
  }

  get remoteAddress() {
    return this.#call.remoteAddress;
  }

  get returnPayload() {
    return this.#call.message.returnPayload === true;
  }

  get headers() {
    return this.#call.headers;
  }

  get identity() {
    return this.#call.message.identity;
  }

  get signal() {
    return this.#call.signal;
  }
}

// AuthContext is what authenticate gets.
class AuthContext {
  #call;
  #url;

  constructor(call) {
    this.#call = call;
  }

  get remoteAddress() {
    return this.#call.remoteAddress;
  }

  get method() {
    return this.#call.message.method;
  }

  get url() {
    return this.#call.message.url;
  }

  get headers() {
    return this.#call.headers;
  }

  get path() {
    return this.#parsed.pathname;
  }

  get query() {
    return this.#parsed.searchParams;
  }

  get #parsed() {
    return (this.#url ??= new URL(this.#call.message.url ?? "/", "http://localhost"));
  }
}

function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

module.exports = { isModule, moduleSource };
