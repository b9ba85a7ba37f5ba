"use strict";

// The source of a running Runner application. It does what the application's own exposure does between the request and
// the response, in the same order: see src/node/exposure of Runner 5.5.0 and 6.4.1.

const { finished } = require("node:stream/promises");
const { isStream, sourceOf } = require("./call.js");
const { describe } = require("./describe.js");
const { allowList, is6, lanes } = require("./allowlist.js");
const { hasMade, requiredRunner } = require("./copies.js");
const { BodyNeeded, exposureContext, exposureRequest } = require("./exposure.js");
const { aliases, isHashOf, laneRules, secondDoors } = require("./lanes.js");
const { InputFile, FormNeeded, fillIn, mayNameFiles, receivedFile, withoutForm } = require("./file.js");

const LOOK_TIME = 1_000; // ms between two looks at the allow-list: tunnels may change it while they run

const LISTENS =
  "the application listens by itself too, with a nodeExposure or another server: none of the checks here is made there, " +
  "and while its port is taken no other worker starts";

const MAX_NAMES = 50;
const SYSTEM = /^(?:globals|runner|system)\./; // Runner's own

const JSON_TYPE = "application/json; charset=utf-8";
const CONTEXT_HEADER = "x-runner-context";
const UNAUTHORIZED = { message: "Unauthorized", code: "UNAUTHORIZED" };

// isRuntime says whether value is what run() of Runner has returned.
function isRuntime(value) {
  return typeof value?.runTask === "function" && typeof value.emitEvent === "function" && value.store !== undefined;
}

function runnerSource(runtime, options) {
  return new RunnerSource(runtime, findRunner(runtime, options.runner));
}

// findRunner returns the copy of Runner that made the runtime.
function findRunner(runtime, given) {
  if (given !== undefined) {
    if (given.RunResult !== undefined && !hasMade(given, runtime)) {
      throw new Error("the option runner is not the copy of @bluelibs/runner that this application runs on");
    }
    return given;
  }
  const required = requiredRunner(runtime);
  if (required !== undefined) return required;
  throw new Error(
    "the copy of @bluelibs/runner that this application runs on cannot be found: pass it as the option runner, " +
      "or export it as runner beside the runtime",
  );
}

class RunnerSource {
  #runtime;
  #runner;
  #store;
  #serializer;
  #taskRunner;
  #eventManager;
  #logger;
  #validators;
  #context;
  #ReceivedFile;
  #list;
  #laneFacts;
  #reported = new Set();
  #origin; // who runs tasks and emits events, from 6.x on; undefined before
  #is4; // it has neither returnPayload nor undefined
  #emitsBareSource = false; // events of 6.0 and 6.1 take the source alone

  constructor(runtime, runner) {
    const { resources, tags } = runner.globals ?? runner;
    const [lane] = lanes(runner, runtime.store);
    this.#runtime = runtime;
    this.#runner = runner;
    this.#store = runtime.store;
    this.#serializer = runtime.getResourceValue(lane?.config?.serializer ?? resources.serializer);
    this.#taskRunner = runtime.getResourceValue(resources.taskRunner);
    this.#eventManager = runtime.getResourceValue(resources.eventManager);
    this.#logger = runtime.getResourceValue(resources.logger).with({ source: "tunnel-worker" });
    this.#validators = [...this.#store.tasks.values()]
      .map(({ task }) => task)
      .filter((task) => tags.authValidator && task.tags.some(({ id }) => id === tags.authValidator.id));
    this.#context = exposureContext(runner);
    this.#ReceivedFile = receivedFile(runner.NodeInputFile ?? InputFile);
    if (lane) this.#origin = { kind: "resource", id: lane.resource.id };
    else if (is6(runner)) this.#origin = { kind: "runtime", id: "runtime.api" }; // as its own runTask says
    this.#is4 = this.#eventManager.emitWithResult === undefined;
    this.#emitsBareSource = this.#store.lookup === undefined;
  }

  hello() {
    const list = allowList(this.#runner, this.#store, this.#reportSelector);
    this.#list = list;
    return {
      tasks: list.enabled ? [...list.taskIds] : null,
      events: list.enabled ? [...list.eventIds] : null,
      auth: this.#validators.length > 0,
      ...(this.#laneFacts ??= this.#readLanes(list)),
    };
  }

  // readLanes returns what does not change while the application runs.
  #readLanes(list) {
    const entries = lanes(this.#runner, this.#store);
    if (entries.length === 0) return {};
    return {
      aliases: aliases(this.#store, list),
      lanes: laneRules(this.#runner, this.#store, entries),
    };
  }

  // remarks returns [level, text] of what who starts the worker should know.
  remarks() {
    const doors = secondDoors(lanes(this.#runner, this.#store)).map(
      (door) => `the application listens by itself too (${door}): take exposure out of rpcLanesResource.with(…)`,
    );
    if (doors.length === 0 && listens()) doors.push(LISTENS);
    const remarks = doors.map((text) => ["warn", text]);
    if (!this.#list.enabled) remarks.push(["info", `the tasks that an AllowList may name: ${this.#taskNames()}`]);
    return remarks;
  }

  // taskNames returns the full ids of the application's own tasks, which the code does not show where they are paths.
  #taskNames() {
    const ids = [...this.#store.tasks.values()].map(({ task }) => task.id).filter((id) => !SYSTEM.test(id));
    const more = ids.length - MAX_NAMES;
    return ids.slice(0, MAX_NAMES).join(", ") + (more > 0 ? ` and ${more} more` : "") || "none";
  }

  watch(announce) {
    setInterval(announce, LOOK_TIME).unref();
  }

  async dispose() {
    await this.#runtime.dispose();
  }

  abortReason() {
    const reason = "Client Closed Request";
    return this.#runner.cancellationError?.new({ reason }) ?? new Error(reason);
  }

  task(call, text) {
    const { taskId } = call.message;
    const task = this.#store.tasks.get(taskId)?.task;
    if (!isNamed(task, taskId, this.#list.taskIds)) return call.fail({ message: `Task ${taskId} not found`, code: "NOT_FOUND" });
    const body = this.#decode(call, text, "input");
    if (body === undefined) return;
    const { input } = body;
    if (!this.#isFor(call, { input })) return call.fail(UNAUTHORIZED);
    const run = this.#withContexts(call, "task", taskId, () => this.#runTask(call, task, input));
    const result = this.#context === undefined ? run() : this.#context.provide(exposureRequest(call), run);
    result
      .then((value) => this.#reply(call, value))
      .catch((error) => this.#fail(call, error, "task"))
      .catch((error) => call.crash(error)); // even to look at what was thrown may throw
  }

  event(call, text) {
    const { eventId, returnPayload } = call.message;
    const event = this.#store.events.get(eventId)?.event;
    if (!isNamed(event, eventId, this.#list.eventIds)) return call.fail({ message: `Event ${eventId} not found`, code: "NOT_FOUND" });
    const body = this.#decode(call, text, "payload");
    if (body === undefined) return;
    const { payload } = body;
    if (!this.#isFor(call, returnPayload ? { payload, returnPayload } : { payload })) return call.fail(UNAUTHORIZED);
    if (returnPayload && event.parallel) {
      return call.fail({
        message: `Event ${eventId} is marked parallel; returning a payload is not supported.`,
        code: "PARALLEL_EVENT_RETURN_UNSUPPORTED",
      });
    }
    const back = returnPayload && !this.#is4;
    const emit = back ? "emitWithResult" : "emit";
    const run = this.#withContexts(call, "event", eventId, () =>
      this.#eventManager[emit](event, payload, this.#emission(call)),
    );
    run()
      .then((result) => (back ? this.#answer(call, { ok: true, result }) : this.#succeed(call)))
      .catch((error) => this.#fail(call, error, "event"))
      .catch((error) => call.crash(error));
  }

  // From 6.x on tasks and hooks learn who has called, and when nobody waits any more.
  #runTask(call, task, input) {
    if (this.#origin === undefined) return this.#taskRunner.run(task, input);
    return this.#taskRunner.run(task, input, { source: this.#origin, signal: call.signal });
  }

  // emission returns what hooks learn about an event beside its payload.
  #emission(call) {
    if (this.#origin === undefined) return "exposure:http";
    return this.#emitsBareSource ? this.#origin : { source: this.#origin, signal: call.signal };
  }

  // auth asks the validators one after the other, until one says yes.
  async auth(call) {
    const { method = "GET", url = "/" } = call.message;
    const path = pathOf(url);
    const input = { headers: call.headers, method, url, path };
    for (const task of this.#validators) {
      try {
        const result = await this.#taskRunner.run(task, input, this.#origin && { source: this.#origin });
        if (!result?.ok) continue;
        const { ok, ...identity } = result;
        return call.succeed(Object.keys(identity).length > 0 ? JSON.stringify(identity) : undefined);
      } catch {
        // A validator that throws has not said yes.
      }
    }
    const requestId = call.headers["x-runner-request-id"];
    this.#log("warn", "exposure.auth.failure", { requestId, method, path, status: 401, code: UNAUTHORIZED.code });
    call.fail(UNAUTHORIZED);
  }

  // decode returns the body that the caller sent, as far as it matters; undefined if the call has been answered. The
  // server has taken the value out of the body: it goes back, so that the serializer finds it where it was.
  #decode(call, text, member) {
    if (text === undefined) return {};
    try {
      const body = this.#serializer.parse(`{"${member}":${text}}`);
      if (call.isForm) return fillIn(call, body, this.#ReceivedFile);
      return mayNameFiles(text) ? withoutForm(call, body) : body;
    } catch {
      const [message, code] = call.isForm
        ? ["Invalid manifest", "INVALID_MULTIPART"]
        : ["Invalid JSON body", "INVALID_JSON"];
      call.fail({ message, code });
      return undefined;
    }
  }

  // isFor says whether the token of a call on a lane is for this body, where the server could not tell.
  #isFor(call, body) {
    const { hash } = call.message;
    return hash === undefined || isHashOf(hash, this.#serializer.stringify(body));
  }

  // withContexts wraps run in the async contexts that the request has brought, as far as they can be read.
  #withContexts(call, kind, id, run) {
    if (!call.message.headers?.includes(`${CONTEXT_HEADER}\n`)) return run;
    const header = call.headers[CONTEXT_HEADER];
    if (!header || this.#list[`${kind}AcceptsAsyncContext`].get(id) === false) return run;
    const accepted = this.#list[`${kind}AsyncContextAllowList`]?.get(id); // undefined: all
    let wrapped = run;
    try {
      const map = this.#serializer.parse(header);
      const registered = this.#store.asyncContexts;
      for (const [name, context] of registered.entries()) {
        if (typeof map[name] !== "string") continue;
        if (accepted && !accepted.some((one) => one === name || registered.get(one) === context)) continue;
        try {
          const value = context.parse(map[name]);
          const inner = wrapped;
          wrapped = async () => await context.provide(value, inner);
        } catch {
          // This one cannot be read, others can.
        }
      }
    } catch {
      // The header cannot be read.
    }
    return wrapped;
  }

  // reply answers with what a task has returned, unless it has used the response itself.
  async #reply(call, value) {
    const response = call.hasResponse ? call.response : undefined;
    if (response?.used) {
      if (isStream(value) && value !== response) sourceOf(value).destroy?.(); // end() returns the response
      return finished(response);
    }
    if (isStream(value)) return call.stream(value);
    if (value === undefined && this.#is4 && !response?.getHeaderNames().length) return this.#succeed(call);
    const body = { ok: true, result: value };
    if (!response?.getHeaderNames().length) return this.#answer(call, body);
    const json = this.#serializer.stringify(body);
    response.writeHead(200, { "content-type": JSON_TYPE, "content-length": Buffer.byteLength(json) }).end(json);
    return finished(response);
  }

  // succeed answers without a result. Runner 4 leaves that out, whatever the caller wants.
  #succeed(call) {
    if (this.#is4) call.succeedWithout();
    else call.succeed();
  }

  // answer sends the body of a response: all but the call's id is the serializer's own text.
  #answer(call, body) {
    call.answer(this.#serializer.stringify(body));
  }

  #fail(call, error, kind) {
    if (this.#isCancellation(error)) {
      return call.fail({ message: "Client Closed Request", code: "REQUEST_ABORTED" });
    }
    if (error instanceof FormNeeded || error instanceof BodyNeeded) return call.fail({ message: error.message, code: error.code });
    let typed;
    try {
      typed = this.#typedError(error, kind);
    } catch (unsendable) {
      error = unsendable; // its data
    }
    // What callers may not see the server logs, with its frames: once is enough.
    const { requestId } = call.message;
    const data = { error: error instanceof Error ? error.message : describe(error), requestId };
    this.#log(typed === undefined ? "debug" : "error", `exposure.${kind}.error`, data);
    try {
      if (typed !== undefined) return this.#answer(call, { ok: false, error: typed });
    } catch (unsendable) {
      return call.crash(unsendable);
    }
    call.crash(error);
  }

  #isCancellation(error) {
    const { cancellationError } = this.#runner;
    return cancellationError ? cancellationError.is(error) : error?.name === "runner.errors.cancellation";
  }

  // typedError returns what the caller may see of an error: something if it is of a registered kind.
  #typedError(error, kind) {
    const found = this.#origin === undefined ? this.#errorKind(error) : this.#errorKind6(error, kind);
    if (found === undefined) return undefined;
    const { id, helper, message } = found;
    const httpCode = [error.httpCode, helper.httpCode].find(isHttpCode);
    const typed = { message: message || "Internal Error", code: "INTERNAL_ERROR", id };
    if (error.data !== undefined || (httpCode ?? 500) !== 500) typed.data = error.data;
    if (httpCode !== undefined) typed.httpCode = httpCode;
    return typed;
  }

  // Up to 5.x the id of an error is its name.
  #errorKind(error) {
    const helper = [...this.#store.errors.values()].find((one) => one.is(error));
    return helper && { id: error.name, helper, message: error.message };
  }

  // From 6.x on it is the full id, and an error from another service is of the kind that its id names. Of what a hook
  // throws 6.x looks at the id only, so that the application's own errors are none there.
  #errorKind6(error, kind) {
    const helpers = [...this.#store.errors.entries()];
    const own = kind === "task" ? helpers.find(([, helper]) => helper.is(error))?.[0] : undefined;
    const id = own ?? error?.id;
    const [key, helper] = helpers.find(([key, helper]) => id === key || id === helper.id) ?? [];
    if (typeof id !== "string" || helper === undefined) return undefined;
    return { id: helper.id ?? key, helper, message: error instanceof Error ? error.message : undefined };
  }

  #reportSelector = ({ kind, id, tunnel, error }) => {
    const data = { selectorKind: kind, candidateId: id, tunnelResourceId: tunnel };
    const key = JSON.stringify(data);
    if (this.#reported.has(key)) return; // by an earlier look
    this.#reported.add(key);
    this.#log("warn", "[runner] Tunnel allow-list selector failed; item skipped.", { error, data });
  };

  // log writes to the application's own log, whose troubles are no caller's.
  async #log(level, message, data) {
    try {
      await this.#logger[level](message, data);
    } catch {
      // Nothing is lost but a line.
    }
  }
}

// listens says whether the application has a server of its own already, where the platform tells.
function listens() {
  return process.getActiveResourcesInfo?.().some((name) => name.endsWith("ServerWrap")) === true;
}

function pathOf(url) {
  try {
    return new URL(url, "http://localhost").pathname;
  } catch {
    return url;
  }
}

// isNamed says whether a definition goes by this id: 6.x finds it by a short one too, which only 6.0 and 6.1 serve.
function isNamed(definition, id, served) {
  return definition !== undefined && (definition.id === id || served.has(id));
}

function isHttpCode(code) {
  return Number.isInteger(code) && code >= 100 && code <= 599;
}

module.exports = { isRuntime, runnerSource };
