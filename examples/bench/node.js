"use strict";

// What one would write by hand on node:http for these tasks: the token, the route, the limit, JSON, the envelope.

const { timingSafeEqual } = require("node:crypto");
const { createServer } = require("node:http");
const { fail, ready, token } = require("./child");
const { tasks } = require("./tasks");

const base = "/__runner/task/";
const maxBody = 2 << 20;
const secret = Buffer.from(token);

const server = createServer(async (req, res) => {
  const given = Buffer.from(req.headers["x-runner-token"] ?? "");
  if (given.length !== secret.length || !timingSafeEqual(given, secret)) return refuse(res, 401, "UNAUTHORIZED");
  const task = req.method === "POST" && req.url.startsWith(base) && tasks[req.url.slice(base.length)];
  if (!task) return refuse(res, 404, "NOT_FOUND");
  try {
    const input = req.headers["content-type"] === "application/octet-stream" ? req : (await read(req)).input;
    answer(res, 200, { ok: true, result: await task(input) });
  } catch {
    refuse(res, 500, "INTERNAL_ERROR");
  }
});

// By events, which cost less than an iterator.
function read(req) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    let length = 0;
    req.on("data", (chunk) => {
      length += chunk.length;
      if (length > maxBody) req.destroy();
      else chunks.push(chunk);
    });
    req.on("error", reject);
    req.on("end", () => {
      try {
        resolve(JSON.parse(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
      } catch (error) {
        reject(error);
      }
    });
  });
}

function refuse(res, status, code) {
  answer(res, status, { ok: false, error: { message: code, code } });
}

function answer(res, status, value) {
  const body = Buffer.from(JSON.stringify(value));
  res.writeHead(status, { "content-type": "application/json; charset=utf-8", "content-length": body.length });
  res.end(body);
}

server.on("error", fail);
server.listen(0, "127.0.0.1", () => ready(server));
