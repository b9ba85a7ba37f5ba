"use strict";

// The tasks of the benchmark, which all Node.js contenders run. As it is this file is a task module for go-tunnel.

exports.tasks = {
  "bench.add": ({ a, b }) => a + b,
  "bench.echo": (input) => input,
  "bench.wait": ({ ms }) => new Promise((resolve) => setTimeout(resolve, ms, ms)),
  // So many steps of a random number generator, which nothing can skip.
  "bench.compute": ({ steps }) => {
    let x = 1;
    for (let i = 0; i < steps; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
    return x >>> 0;
  },
  // The length of a raw body.
  "bench.upload": async (body) => {
    let length = 0;
    for await (const chunk of body) length += chunk.length;
    return length;
  },
};
