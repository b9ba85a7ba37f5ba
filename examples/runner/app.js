"use strict";

// A small BlueLibs Runner application. Nothing in it knows how it is served: go-tunnel runs this file in a worker, and
// expose.js puts the same application behind Runner's own HTTP server.

const { globals, r, run, useExposureContext } = require("@bluelibs/runner");

const outOfStock = r
  .error("app.errors.outOfStock")
  .httpCode(409)
  .format(({ item, left }) => `Only ${left} of ${item} left`)
  .remediation("Order fewer.")
  .build();

// A client that provides this context sends it along with every call.
const tenant = r.asyncContext("app.tenant").build();

const add = r
  .task("app.tasks.add")
  .run(async ({ a, b }) => a + b)
  .build();

const order = r
  .task("app.tasks.order")
  .run(async ({ item, count, due }) => {
    if (count > 3) outOfStock.throw({ item, left: 3 });
    return { item, count, due: due ?? new Date(), note: undefined }; // a Date arrives as a Date, undefined as undefined
  })
  .build();

const whoami = r
  .task("app.tasks.whoami")
  .run(async () => {
    const { headers, method, url } = useExposureContext();
    return { tenant: tenant.use(), requestId: headers["x-runner-request-id"], request: `${method} ${url.pathname}` };
  })
  .middleware([tenant.require()]) // a call without it fails
  .build();

const slow = r
  .task("app.tasks.slow")
  .middleware([globals.middleware.task.timeout.with({ ttl: 500 })]) // answered with 408
  .run(async ({ ms }) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return ms;
  })
  .build();

const ordered = r.event("app.events.ordered").build();

const stamp = r
  .hook("app.hooks.stamp")
  .on(ordered)
  .dependencies({ logger: globals.resources.logger })
  .run(async ({ data }, { logger }) => {
    data.seen = new Date(); // callers that ask for the payload back get this too
    await logger.info("ordered", { data });
  })
  .build();

// What may be called from outside.
const tunnel = r
  .resource("app.tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({ mode: "server", transport: "http", tasks: [add, order, whoami, slow], events: [ordered] }))
  .build();

function start(...more) {
  const app = r
    .resource("app")
    .register([outOfStock, tenant, add, order, whoami, slow, ordered, stamp, tunnel, ...more])
    .build();
  return run(app, { logs: { printThreshold: "warn" } });
}

// The worker calls what is exported as runtime. A promise, or the running application itself, would do as well.
module.exports = { start, runtime: start };
