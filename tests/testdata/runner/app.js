"use strict";

// The Runner application that the tests talk to: its typed errors, its tasks and events, and the server
// tunnel that lists what may be called from outside. worker.js and tasks.mjs serve the same without Runner.

const { cancellationError, globals, r, useExposureContext } = require("@bluelibs/runner");
const kit = require("./kit");

const errors = {
  quota: r
    .error("app.errors.quota")
    .format(({ limit }) => `Quota of ${limit} exceeded`)
    .build(),
  teapot: r
    .error("app.errors.teapot")
    .httpCode(418)
    .format(({ pot }) => `I am a ${pot} pot`)
    .build(),
  coded: r
    .error("app.errors.coded")
    .format(({ httpCode }) => `Coded ${httpCode}`)
    .build(),
};

const task = (id, run) => r.task(id).run(run).build();

const tasks = [
  task("app.tasks.add", async ({ a, b }) => a + b),
  task("app.tasks.greet", async ({ name }) => `Hello, ${name}!`),
  task("app.tasks.echo", async (input) => input),
  task("app.tasks.fail", async () => {
    throw new Error("secret detail of the database");
  }),
  task("app.tasks.nothing", async () => undefined),
  task("app.tasks.sleep", async ({ ms }) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return ms;
  }),
  task("app.tasks.quota", async () => errors.quota.throw({ limit: 3 })),
  task("app.tasks.teapot", async () => errors.teapot.throw({ pot: "blue" })),
  task("app.tasks.coded", async ({ httpCode }) => {
    // A code set on the instance escapes the builder's range check: any value gets as far as the wire.
    throw Object.assign(errors.coded.new({ httpCode }), { httpCode });
  }),
  task("app.tasks.cancelled", async () => cancellationError.throw({ reason: "cancelled by the task" })),
  task("app.tasks.function", async () => ({ fn() {} })), // nothing can serialise a function
  task("app.tasks.requestId", async () => useExposureContext().headers["x-runner-request-id"]),
  task("app/tasks/odd id%", async () => "odd"),
  task("kit.upload", kit.upload),
  task("kit.body", async () => kit.body(useExposureContext().req)),
  task("kit.duplex", async () => kit.duplex(useExposureContext().req)),
  task("kit.stream", async (input) => kit.stream(input)),
];

// Registered, but not in the tunnel's list: must answer 403.
const hidden = task("app.tasks.hidden", async () => "hidden");

const event = (name) => r.event(`app.events.${name}`);

const notify = event("notify").build();
const log = event("log").build();
const fail = event("fail").build();
const quota = event("quota").build();
const rename = event("rename").build();
const parallel = event("parallel").parallel(true).build();
const bare = event("bare").build(); // no hook listens to it
const events = [notify, log, fail, quota, rename, parallel, bare];

const hook = (on, run) => r.hook(on.id.replace(".events.", ".hooks.")).on(on).run(run).build();

const hooks = [
  hook(notify, async () => {}),
  r
    .hook("app.hooks.log")
    .on(log)
    .dependencies({ logger: globals.resources.logger })
    .run(async ({ data }, { logger }) => logger.info("app.events.log", { data: { payload: data } }))
    .build(),
  hook(fail, async () => {
    throw new Error("secret detail of the hook");
  }),
  hook(quota, async () => errors.quota.throw({ limit: 3 })),
  hook(rename, async ({ data }) => {
    data.name = data.name.toUpperCase(); // in place: returnPayload answers with this very object
  }),
  hook(parallel, async () => {}),
];

const tunnel = r
  .resource("app.tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({ mode: "server", transport: "http", tasks, events }))
  .build();

// createApp returns the root resource. Without a tunnel nothing is exposed; with full there is all of full.js too,
// which full may be the options of, and with goclient all of goclient.js. The exposure is left out for a worker.
function createApp(exposure, { noTunnel = false, full, goclient } = {}) {
  return r
    .resource("app")
    .register([
      ...Object.values(errors),
      ...tasks,
      hidden,
      ...events,
      ...hooks,
      ...(noTunnel ? [] : [tunnel]),
      ...(full ? require("./full").items(full) : []),
      ...(goclient ? require("./goclient").items : []),
      ...(exposure ? [exposure] : []),
    ])
    .build();
}

module.exports = { createApp, errors };
