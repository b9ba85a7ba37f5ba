"use strict";

// An application of Runner 6: lanes with and without authentication, contexts by policy, aliases, errors of its own, of
// hooks, of middleware and of other services. @bluelibs/runner is found by NODE_PATH.

const runner = require("@bluelibs/runner");
const kit = require("../runner/kit");
const { describe, pointType, values } = require("../runner/values");
const { errors, throwing } = require("./thrown");

const { defineTask, middleware, r, resources, tags } = runner;
const { rpcLanesResource, useRpcLaneRequestContext } = runner;

const contexts = {
  user: r.asyncContext("user").build(),
  tenant: r
    .asyncContext("tenant")
    .serialize((value) => `T:${value}`)
    .parse((text) => {
      if (!text.startsWith("T:")) throw new Error("no tenant");
      return text.slice(2);
    })
    .build(),
};

function readContexts() {
  return Object.entries(contexts).map(([name, context]) => {
    try {
      return [name, describe(context.use())];
    } catch {
      return [name, "absent"];
    }
  });
}

const schema = (name) => ({
  parse: (value) => {
    if (typeof value !== "number") throw new Error(`secret of the ${name} schema`);
    return value + 1;
  },
});

const lane = (name, ...rest) => rest.reduce((builder, change) => change(builder), r.rpcLane(name)).build();
const lanes = {
  open: lane("open"),
  some: lane("some", (builder) => builder.asyncContexts([contexts.user])),
  all: lane("all"),
  hmac: lane("hmac"),
  split: lane("split"),
  header: lane("header"),
  strict: lane("strict"),
  ed: lane("ed"),
  es: lane("es"),
  rs: lane("rs"),
  kids: lane("kids"),
  none: lane("none"),
  listed: lane("listed", (builder) => builder.applyTo(["app.tasks.chosen", "app.events.chosenEvent"])),
  matched: lane("matched", (builder) => builder.applyTo(({ id }) => id.endsWith(".tasks.matching"))),
  theirs: lane("theirs"),
};

const on = (name) => [tags.rpcLane.with({ lane: lanes[name] })];
const task = (name, run, where = "open") => r.task(name).tags(on(where)).run(run);
const rejected = (name) => Promise.reject(throwing[name]()); // unlike throw, of undefined too
const hour = 3_600_000;
const never = () => new Promise(() => {});

// origin tells what a task or a hook learns beside its input.
const origin = ({ source, signal }) => ({ source, signal: signal instanceof AbortSignal, aborted: signal?.aborted });

const calls = r
  .task("relayed")
  .tags(on("theirs"))
  .run(async () => "not here")
  .build();

const tasks = [
  task("add", async ({ a, b }) => a + b),
  task("echo", async (input) => input),
  task("describe", async (input) => describe(input)),
  task("value", async (name) => values[name]),
  task("nothing", async () => undefined),
  task("throw", (name) => rejected(name)),
  task("contexts", async () => readContexts()),
  task("someContexts", async () => readContexts(), "some"),
  task("allContexts", async () => readContexts(), "all"),
  task("request", async () => {
    const { req, res, ...rest } = useRpcLaneRequestContext();
    return {
      rest: Object.keys(rest),
      copy: Object.keys({ ...useRpcLaneRequestContext() }),
      raw: Array.isArray(req.rawHeaders) && req.rawHeaders.length % 2 === 0,
      url: describe(rest.url),
      method: rest.method,
      basePath: rest.basePath,
      signal: rest.signal === useRpcLaneRequestContext().signal,
    };
  }),
  task("inputSchema", async (input) => input).inputSchema(schema("input")),
  task("resultSchema", async (input) => input).resultSchema(schema("result")),
  task("timeout", never).middleware([middleware.task.timeout.with({ ttl: 20 })]),
  task("rateLimit", async () => 1).middleware([middleware.task.rateLimit.with({ windowMs: hour, max: 2 })]),
  task("circuit", () => rejected("plain")).middleware([
    middleware.task.circuitBreaker.with({ failureThreshold: 2, resetTimeout: hour }),
  ]),
  task("fallback", () => rejected("plain")).middleware([middleware.task.fallback.with({ fallback: { instead: 1 } })]),
  task("relay", async (input, { calls }) => calls(input)).dependencies({ calls }),
  task("upload", kit.upload),
  task("body", async () => kit.body(useRpcLaneRequestContext().req)),
  task("duplex", async () => kit.duplex(useRpcLaneRequestContext().req)),
  task("stream", async (input) => kit.stream(input)),
  task("hmacTask", async (input) => ({ served: input }), "hmac"),
  task("hmacUpload", kit.upload, "hmac"),
  task("hmacBody", async () => kit.body(useRpcLaneRequestContext().req), "hmac"),
  task("splitTask", async () => "served", "split"),
  task("headerTask", async () => "served", "header"),
  task("strictTask", async () => "served", "strict"),
  task("edTask", async () => "served", "ed"),
  task("esTask", async () => "served", "es"),
  task("rsTask", async () => "served", "rs"),
  task("kidsTask", async () => "served", "kids"),
  task("noneTask", async () => "served", "none"),
  task("chosen", async () => "served", "open"), // but the lane listed applies to it
  task("matching", async () => "served", "open"), // and matched to this one
  task("theirTask", async () => "served", "theirs"),
  r.task("hidden").run(async () => "hidden"),
  r.task("twin").tags(on("open")).run(async () => "twin"),
].map((builder) => builder.build());

const withOrigin = [
  defineTask({ id: "origin", tags: on("open"), run: async (_input, _dependencies, context) => origin(context) }),
  // slow ends when its signal says so, long after any test
  defineTask({
    id: "slow",
    tags: on("open"),
    run: (input, _dependencies, { signal }) =>
      new Promise((_resolve, reject) => {
        console.error(`slow ${input} began`);
        const over = () => {
          console.error(`slow ${input} was aborted`);
          reject(signal.reason);
        };
        if (signal?.aborted) over();
        signal?.addEventListener("abort", over);
      }),
  }),
];

const event = (name, where = "open") => r.event(name).tags(on(where));
const events = {
  describe: event("described").build(),
  change: event("changed").build(),
  contexts: event("contextsSeen").build(),
  someContexts: event("someContextsSeen", "some").build(),
  throw: event("thrown").build(),
  origin: event("origins").build(),
  validated: event("validated").payloadSchema(schema("payload")).build(),
  parallel: event("parallel").parallel(true).build(),
  bare: event("bare").build(),
  hmac: event("hmacEvent", "hmac").build(),
  chosen: event("chosenEvent").build(),
  theirs: event("theirEvent", "theirs").build(),
  slow: event("slowEvent").build(),
  twin: event("twinEvent").build(),
};

let hookCount = 0;
const hook = (on, run) => r.hook(`hook${hookCount++}`).on(on).run(run).build();

const hooks = [
  hook(events.describe, async ({ data }) => {
    data.as = describe(data.value);
  }),
  hook(events.change, async ({ data }) => {
    if (data instanceof Map) data.set("when", new Date(0));
    if (Array.isArray(data)) data.push(1n, undefined);
  }),
  hook(events.contexts, async ({ data }) => Object.assign(data, { contexts: readContexts() })),
  hook(events.someContexts, async ({ data }) => Object.assign(data, { contexts: readContexts() })),
  hook(events.throw, ({ data }) => rejected(data)),
  hook(events.origin, async ({ data, ...rest }) => Object.assign(data, origin(rest))),
  hook(events.parallel, async () => {}),
  hook(events.hmac, async ({ data }) => {
    if (data) data.seen = true;
  }),
  hook(events.slow, ({ data, signal }) =>
    new Promise((_resolve, reject) => {
      console.error(`hook ${data} began`);
      signal?.addEventListener("abort", () => {
        console.error(`hook ${data} was aborted`);
        reject(signal.reason);
      });
    }),
  ),
];

// remote stands for another service: it is what a communicator throws that knows no errors.
const remote = r
  .resource("remote")
  .init(async () => ({
    task: async (id, input, { headers = {}, signal } = {}) => {
      if (typeof input === "string") throw throwing[input]();
      const signed = Object.entries(headers).map(([name, value]) => [name, value.split(".").length]);
      return { relayed: input, id, signed, signal: signal instanceof AbortSignal };
    },
    event: async () => {},
  }))
  .build();

// bindings are those of the lanes, whose keys the tests have made.
function bindings({ secret, edPublic, esPublic, rsPublic, edOther }, change) {
  const auth = {
    hmac: { secret },
    split: { mode: "jwt_hmac", produceSecret: "another", consumeSecret: secret },
    header: { mode: "jwt_hmac", secret, header: "X-Lane-Token" },
    strict: { mode: "jwt_hmac", secret, clockSkewMs: 0 },
    ed: { mode: "jwt_asymmetric", publicKey: edPublic },
    es: { mode: "jwt_asymmetric", algorithm: "ES256", publicKey: esPublic },
    rs: { mode: "jwt_asymmetric", algorithm: "RS256", publicKey: rsPublic },
    kids: { mode: "jwt_asymmetric", publicKeysByKid: { old: edOther, new: edPublic } },
    none: { mode: "none" },
    listed: { secret },
    matched: { secret },
    theirs: { produceSecret: "for them" }, // nothing to check with: it is served elsewhere
    ...change,
  };
  return Object.entries(lanes).map(([name, lane]) => ({
    lane,
    communicator: remote,
    ...(auth[name] && { auth: auth[name] }),
    ...(name === "all" && { allowAsyncContext: true }),
  }));
}

const points = r
  .resource("points")
  .dependencies({ serializer: resources.serializer })
  .init(async (_config, { serializer }) => serializer.addType(pointType))
  .build();

const validators = [
  defineTask({
    id: "originValidator",
    tags: [tags.authValidator],
    run: async ({ headers }, _dependencies, { source }) => ({ ok: headers["x-source"] === `${source?.kind} ${source?.id}` }),
  }),
];

// createApp returns the root. keys are those of the lanes, change replaces the auth of some.
function createApp({ keys, http, change, withValidators = false }) {
  const { theirs, ...mine } = lanes;
  const topology = r.rpcLane.topology({
    profiles: { server: { serve: Object.values(mine) } },
    bindings: bindings(keys, change),
  });
  const module = r.resource("nested").register([r.task("twin").run(async () => "the other").build()]).build();
  return r
    .resource("app")
    .register([
      ...Object.values(errors),
      ...Object.values(contexts),
      ...tasks,
      ...withOrigin,
      calls,
      ...Object.values(events),
      ...hooks,
      remote,
      points,
      module,
      ...(withValidators ? validators : []),
      rpcLanesResource.with({ profile: "server", topology, mode: "network", ...(http && { exposure: { http } }) }),
    ])
    .build();
}

module.exports = { createApp, errors };
