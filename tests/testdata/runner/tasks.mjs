// The tasks and events of app.js as a task module: what ipc.Node serves without any library.

import { byteTasks } from "./bytes.mjs";
import kit from "./kit.js";

// Errors are public where expose is true, as those of the npm package http-errors.
function open(message, fields) {
  throw Object.assign(new Error(message), { expose: true, ...fields });
}

const fail = (message) => {
  throw new Error(message);
};
const quota = () => open("Quota of 3 exceeded", { id: "app.errors.quota", data: { limit: 3 } });

export const tasks = {
  "app.tasks.add": ({ a, b }) => a + b,
  "app.tasks.greet": ({ name }) => `Hello, ${name}!`,
  "app.tasks.echo": (input) => input,
  "app.tasks.fail": () => fail("secret detail of the database"),
  "app.tasks.nothing": () => undefined,
  "app.tasks.sleep": ({ ms }, { signal }) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms, ms);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
  "app.tasks.quota": quota,
  "app.tasks.teapot": () => open("I am a blue pot", { id: "app.errors.teapot", data: { pot: "blue" }, httpCode: 418 }),
  "app.tasks.coded": ({ httpCode }) =>
    open(`Coded ${httpCode}`, { id: "app.errors.coded", data: { httpCode }, httpCode }),
  "app.tasks.cancelled": () => open("Client Closed Request", { code: "REQUEST_ABORTED" }),
  "app.tasks.function": () => fail("a function cannot be sent"), // JSON.stringify would silently drop it
  "app.tasks.requestId": (_input, { requestId }) => requestId,
  "app/tasks/odd id%": () => "odd",
  "app.tasks.hidden": () => "hidden",
  "kit.upload": kit.upload,
  "kit.body": kit.body,
  "kit.duplex": kit.duplex,
  "kit.stream": kit.stream,
  ...byteTasks,
};

export const events = {
  "app.events.notify": () => {},
  "app.events.log": () => {},
  "app.events.fail": () => fail("secret detail of the hook"),
  "app.events.quota": quota,
  "app.events.rename": (payload) => ({ ...payload, name: payload.name.toUpperCase() }),
  "app.events.parallel": (_payload, { id, returnPayload }) => {
    if (!returnPayload) return;
    open(`Event ${id} is marked parallel; returning a payload is not supported.`, { code: "PARALLEL_EVENT_RETURN_UNSUPPORTED" });
  },
  "app.events.bare": () => {},
};
