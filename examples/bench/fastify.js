"use strict";

// The same on fastify, whose own ways of doing it are used: a hook, a route, its parser of JSON.

const { timingSafeEqual } = require("node:crypto");
const fastify = require("fastify");
const { fail, ready, token } = require("./child");
const { tasks } = require("./tasks");

const secret = Buffer.from(token);
const app = fastify({ bodyLimit: 2 << 20 });

app.addContentTypeParser("application/octet-stream", { bodyLimit: Number.MAX_SAFE_INTEGER }, (_req, body, done) => done(null, body));

app.addHook("onRequest", (req, reply, done) => {
  const given = Buffer.from(req.headers["x-runner-token"] ?? "");
  if (given.length === secret.length && timingSafeEqual(given, secret)) return done();
  reply.code(401).send({ ok: false, error: { message: "UNAUTHORIZED", code: "UNAUTHORIZED" } });
});

for (const [id, task] of Object.entries(tasks)) {
  const run = id === "bench.upload" ? (req) => task(req.body) : (req) => task(req.body.input);
  app.post(`/__runner/task/${id}`, async (req) => ({ ok: true, result: await run(req) }));
}

app.listen({ host: "127.0.0.1", port: 0 }).then(() => ready(app.server), fail);
