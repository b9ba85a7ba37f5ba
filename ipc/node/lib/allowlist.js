"use strict";

// What a Runner application lets in, as its own exposure works it out: from the values of its tunnel resources
// (Runner 4 and 5) or from its RPC lanes (6).

// Runner 6 has a build for Node.js and one for any platform, which is what Bun and Deno find by its name. The latter
// cannot tell what lanes serve, nor which of that needs a token.
const NO_LANES =
  "the application has RPC lanes, but runs on a build of @bluelibs/runner that has none: import run and all else from " +
  "@bluelibs/runner/node";

// allowList returns { enabled, taskIds, eventIds, taskAcceptsAsyncContext, eventAcceptsAsyncContext }: two Sets and two
// Maps. With lanes there are two more Maps, of the contexts that each accepts. report gets what a selector throws: the item is left out then.
function allowList(runner, store, report) {
  if (runner.computeRpcLaneAllowList) return runner.computeRpcLaneAllowList(store);
  if (lanes(runner, store).length > 0) throw new Error(NO_LANES);
  const list = {
    enabled: false,
    taskIds: new Set(),
    eventIds: new Set(),
    taskAcceptsAsyncContext: new Map(),
    eventAcceptsAsyncContext: new Map(),
  };
  for (const { resource, value } of tunnels(runner, store)) {
    if (typeof value !== "object" || value === null) continue;
    if (value.mode !== "server" && value.mode !== "both") continue;
    if (value.transport && value.transport !== "http") continue;
    list.enabled = true;
    const accepts = value.allowAsyncContext !== false;
    const add = (ids, policy) => (id) => {
      ids.add(id);
      policy.set(id, accepts && policy.get(id) !== false); // one tunnel that refuses contexts is enough
    };
    const failed = (kind) => (id, error) => report({ kind, id, tunnel: resource.id, error });
    const taskList = [...store.tasks.values()].map((entry) => entry.task);
    const eventList = [...store.events.values()].map((entry) => entry.event);
    select(value.tasks, taskList, add(list.taskIds, list.taskAcceptsAsyncContext), failed("task"));
    select(value.events, eventList, add(list.eventIds, list.eventAcceptsAsyncContext), failed("event"));
  }
  return list;
}

// select adds the ids that a selector names: an array of ids and definitions, or a predicate on all that there is.
function select(selector, all, add, failed) {
  if (typeof selector === "function") {
    for (const item of all) {
      try {
        if (selector(item)) add(item.id);
      } catch (error) {
        failed(item.id, error);
      }
    }
  } else if (Array.isArray(selector)) {
    for (const item of selector) {
      const id = typeof item === "string" ? item : item?.id;
      if (id) add(id);
    }
  }
}

// lanes returns the entries of the resources that serve RPC lanes.
function lanes(runner, store) {
  return is6(runner) ? tagged(store, runner.tags.rpcLanes) : [];
}

// tunnels returns the entries of the tunnel resources, which 6 has no more.
function tunnels(runner, store) {
  return is6(runner) ? [] : tagged(store, runner.globals.tags.tunnel);
}

// is6 says whether this is a copy of Runner 6, which has no globals.
function is6(runner) {
  return runner.globals === undefined;
}

// tagged returns the entries of all resources with a tag.
function tagged(store, tag) {
  return [...store.resources.values()].filter(({ resource }) => resource.tags?.some((t) => t?.id === tag.id));
}

module.exports = { allowList, is6, lanes };
