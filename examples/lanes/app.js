"use strict";

// A service of Runner 6: it serves the lane orders, and calls the lane pricing, which is served elsewhere. Its bindings
// stay as they are for a worker; what it lacks is exposure in rpcLanesResource.with(…).

const { r, resources, rpcLanesResource, run, tags } = require("@bluelibs/runner");

const { URL: baseUrl, TOKEN: token, ORDER_SECRET, PRICING_SECRET } = process.env;

const orders = r.rpcLane("orders").build();
const pricing = r.rpcLane("pricing").build();

const price = r
  .task("price")
  .tags([tags.rpcLane.with({ lane: pricing })])
  .run(async () => {
    throw new Error("it is served elsewhere");
  })
  .build();

const order = r
  .task("order")
  .tags([tags.rpcLane.with({ lane: orders })])
  .dependencies({ price })
  .run(async (item, { price }) => `${item.count} × ${item.name}: ${await price(item)}`)
  .build();

const communicator = r
  .resource("communicator")
  .dependencies({ store: resources.store, serializer: resources.serializer })
  .init(r.rpcLane.httpClient({ client: "fetch", baseUrl, auth: { token } }))
  .build();

const topology = r.rpcLane.topology({
  profiles: { server: { serve: [orders] } },
  bindings: [
    { lane: orders, communicator, auth: { secret: ORDER_SECRET } },
    { lane: pricing, communicator, auth: { secret: PRICING_SECRET } },
  ],
});

const app = r
  .resource("app")
  .register([price, order, communicator, rpcLanesResource.with({ profile: "server", topology, mode: "network" })])
  .build();

module.exports.runtime = run(app, { logs: { printStrategy: "json" } });
