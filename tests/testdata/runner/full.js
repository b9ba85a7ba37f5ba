"use strict";

// What app.js is without: everything that only a Runner application can do, for the tests that compare its own
// exposure with ours.

const { globals, hasExposureContext, r, useExposureContext } = require("@bluelibs/runner");
const bytes = require("./bytes");
const { errors, throwing } = require("./thrown");
const { describe, pointType, values } = require("./values");

const contexts = {
  user: r.asyncContext("full.user").build(),
  tenant: r
    .asyncContext("full.tenant")
    .serialize((value) => `T:${value}`)
    .parse((text) => {
      if (!text.startsWith("T:")) throw new Error("no tenant");
      return text.slice(2);
    })
    .build(),
  strict: r
    .asyncContext("full.strict")
    .configSchema({
      parse: (value) => {
        if (value !== "ok") throw new Error("secret: not ok");
        return value;
      },
    })
    .build(),
};

// readContexts describes what the contexts hold where it is called.
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

const task = (name, run) => r.task(`full.tasks.${name}`).run(run);
const { task: middleware } = globals.middleware;
const hour = 3_600_000;
const never = () => new Promise(() => {});
const rejected = (name) => Promise.reject(throwing[name]()); // unlike throw, of undefined too

const tasks = [
  task("describe", async (input) => describe(input)),
  task("value", async (name) => values[name]),
  task("throw", (name) => rejected(name)),
  task("throwAtOnce", (name) => {
    throw throwing[name]();
  }),
  task("contexts", async () => readContexts()),
  task("laterContexts", async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return readContexts();
  }),
  task("requireContext", async () => "there").middleware([middleware.requireContext.with({ context: contexts.user })]),
  task("request", async () => {
    const { basePath, headers, method, req, signal, url } = useExposureContext();
    return {
      url: describe(url),
      basePath,
      method,
      signal: [signal instanceof AbortSignal, signal.aborted, signal === useExposureContext().signal],
      headers: Object.keys(headers).sort().map((name) => [name, headers[name]]),
      req: [req.method, req.url, req.headers["x-runner-request-id"]],
      has: hasExposureContext(),
    };
  }),
  task("requestMembers", async () => {
    const { req, res, ...rest } = useExposureContext();
    useExposureContext().own = "kept";
    const raw = req.rawHeaders;
    const at = raw.findIndex((name) => name.toLowerCase() === "x-a");
    return [Object.keys(rest), Object.keys({ ...useExposureContext() }), "url" in rest, raw[at + 1], raw.length % 2];
  }),
  task("inputSchema", async (input) => input).inputSchema(schema("input")),
  task("resultSchema", async (input) => input).resultSchema(schema("result")),
  task("timeout", never).middleware([middleware.timeout.with({ ttl: 20 })]),
  task("inTime", async () => 1).middleware([middleware.timeout.with({ ttl: hour })]),
  task("rateLimit", async () => 1).middleware([middleware.rateLimit.with({ windowMs: hour, max: 2 })]),
  task("circuit", () => rejected("plain")).middleware([
    middleware.circuitBreaker.with({ failureThreshold: 2, resetTimeout: hour }),
  ]),
  task("fallback", () => rejected("plain")).middleware([middleware.fallback.with({ fallback: { instead: 1 } })]),
]
  .map((builder) => builder.build())
  .concat(bytes.tasks);

const outside = [
  task("noContexts", async () => readContexts()),
  task("halfContexts", async () => readContexts()), // in two tunnels, one of which lets contexts in
].map((builder) => builder.build());
const [noContexts, halfContexts] = outside;
const notHere = async () => "not here";
const clientOnly = task("clientOnly", notHere).build();
const relayed = task("relayed", notHere).build();

const event = (name) => r.event(`full.events.${name}`);

const events = {
  describe: event("describe").build(),
  change: event("change").build(),
  contexts: event("contexts").build(),
  throw: event("throw").build(),
  order: event("order").build(),
  stop: event("stop").build(),
  validated: event("validated").payloadSchema(schema("payload")).build(),
  parallel: event("parallel").parallel(true).build(),
  parallelThrow: event("parallelThrow").parallel(true).build(),
  parallelThrowTwice: event("parallelThrowTwice").parallel(true).build(),
};
const noContextsEvent = event("noContexts").build();
const clientOnlyEvent = event("clientOnly").build();

let hookCount = 0;
const hook = (on, run, order = 0) => r.hook(`full.hooks.${hookCount++}`).on(on).order(order).run(run).build();
const note = (name) => async ({ data }) => data.push(name);
const about = async ({ data, source }) => {
  Object.assign(data, { contexts: readContexts(), source, request: hasExposureContext() });
};

const hooks = [
  hook(events.describe, async ({ data }) => {
    data.as = describe(data.value);
  }),
  hook(events.change, async ({ data }) => {
    if (data instanceof Map) data.set("when", new Date(0));
    if (Array.isArray(data)) data.push(1n, undefined);
    if (typeof data?.to === "string") data.to = values[data.to];
  }),
  hook(events.contexts, about),
  hook(noContextsEvent, about),
  hook(events.throw, ({ data }) => rejected(data)),
  hook(events.order, note("second"), 2),
  hook(events.order, note("first"), 1),
  hook(events.stop, async (emission) => {
    emission.data.push("first");
    emission.stopPropagation();
  }, 1),
  hook(events.stop, note("second"), 2),
  hook(events.parallelThrow, ({ data }) => rejected(data)),
  hook(events.parallelThrow, async () => {}),
  hook(events.parallelThrowTwice, ({ data }) => rejected(data)),
  hook(events.parallelThrowTwice, ({ data }) => rejected(data)),
];

const tunnelOf = (name, value) =>
  r
    .resource(`full.${name}`)
    .tags([globals.tags.tunnel])
    .init(async () => value)
    .build();

const tunnels = [
  tunnelOf("tunnel", { mode: "server", tasks: [...tasks, halfContexts.id], events: Object.values(events) }),
  tunnelOf("noContexts", {
    mode: "server",
    transport: "http",
    tasks: ({ id }) => outside.some((one) => one.id === id),
    events: ({ id }) => id === noContextsEvent.id,
    allowAsyncContext: false,
  }),
  tunnelOf("client", { mode: "client", tasks: [clientOnly], events: [clientOnlyEvent], run: notHere, emit: notHere }),
  tunnelOf("both", { mode: "both", tasks: [relayed], run: async (_task, input) => ({ relayed: input }) }),
  tunnelOf("otherTransport", { mode: "server", transport: "other", tasks: [clientOnly], events: [clientOnlyEvent] }),
  tunnelOf("empty", { mode: "server" }),
];

const predicateTunnels = [
  tunnelOf("predicates", {
    mode: "server",
    tasks: ({ id }) => id.startsWith("full.tasks.c"),
    events: ({ id }) => id.includes("allel"),
  }),
];

const validator = (name, run) => r.task(`full.auth.${name}`).tags([globals.tags.authValidator]).run(run).build();

const validators = [
  validator("throws", async () => {
    throw new Error("secret");
  }),
  validator("nothing", async () => undefined),
  validator("ann", async ({ headers }) => {
    return headers["x-user"] === "ann" ? { ok: true, user: "ann" } : { ok: false, message: "secret" };
  }),
  // Lets in who knows what the validator is told.
  validator("told", async (input) => ({
    ok: input.headers["x-told"] === JSON.stringify([input.method, input.url, input.path, Object.keys(input).sort()]),
  })),
  validator("requestId", async ({ headers }) => {
    return { ok: headers["x-expect-id"] !== undefined && headers["x-expect-id"] === headers["x-runner-request-id"] };
  }),
  validator("anyRequestId", async ({ headers }) => ({ ok: "x-any-id" in headers && "x-runner-request-id" in headers })),
  validator("cookie", async ({ headers }) => ({ ok: headers.cookie === "a=1; b=2" })),
  validator("truthy", async ({ headers }) => ({ ok: headers["x-truthy"] })),
];

const points = r
  .resource("full.points")
  .dependencies({ serializer: globals.resources.serializer })
  .init(async (_config, { serializer }) => serializer.addType(pointType))
  .build();

// None of these makes a server.
const clientTunnels = tunnels.filter(({ id }) => ["full.client", "full.otherTransport"].includes(id));

const tunnelsBy = { arrays: tunnels, predicates: predicateTunnels, none: clientTunnels };

// items returns what the application registers; selectors is a key of tunnelsBy.
function items({ selectors = "arrays", withValidators = false } = {}) {
  return [
    ...Object.values(errors),
    ...Object.values(contexts),
    ...tasks,
    ...outside,
    clientOnly,
    relayed,
    ...Object.values(events),
    noContextsEvent,
    clientOnlyEvent,
    ...hooks,
    points,
    ...tunnelsBy[selectors],
    ...(withValidators ? validators : []),
  ];
}

module.exports = { contexts, errors, items };
