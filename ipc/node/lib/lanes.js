"use strict";

// What the server has to know about the RPC lanes of an application of Runner 6, beside the ids that they serve: which of
// them need a token, and what other names ids have.

const { createHash, createPublicKey, timingSafeEqual } = require("node:crypto");

const SKEW = 30_000; // ms, where a binding says nothing
const ALGORITHMS = {
  EdDSA: ({ asymmetricKeyType }) => asymmetricKeyType === "ed25519",
  ES256: (key) => key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1",
  RS256: ({ asymmetricKeyType }) => asymmetricKeyType === "rsa",
};

// laneRules returns the lanes whose bindings have auth and which this application serves: { lane, header, skew, tasks,
// events } with { secret } or { key, keys }. entries are those of the resources that serve lanes. Lanes that it only
// calls are Runner's own affair.
function laneRules(runner, store, entries) {
  const rules = [];
  for (const { config, value } of entries) {
    const served = { tasks: value?.serveTaskIds ?? [], events: value?.serveEventIds ?? [] };
    const auths = new Map();
    for (const { lane, auth } of config?.topology?.bindings ?? []) {
      if (auth && auth.mode !== "none") auths.set(lane.id, auth);
    }
    if (auths.size === 0 || served.tasks.length + served.events.length === 0) continue;
    const laneOf = assignments(runner, store, config.topology);
    const byLane = new Map();
    for (const kind of ["tasks", "events"]) {
      for (const id of served[kind]) {
        const entry = store[kind].get(id); // 6.0 and 6.1 serve short ids
        if (entry === undefined) continue; // nor does anybody reach it
        const full = (entry.task ?? entry.event).id;
        const lane = laneOf[kind].get(full);
        if (lane === undefined) throw new Error(`the lane of ${id} cannot be found, which may need a token`);
        if (!auths.has(lane)) continue;
        if (!byLane.has(lane)) byLane.set(lane, { tasks: [], events: [] });
        byLane.get(lane)[kind].push(...new Set([id, full]));
      }
    }
    for (const [lane, ids] of byLane) rules.push({ ...rule(lane, auths.get(lane), ids), ...ids });
  }
  // Tokens have target and hash from 6.4 on. Those of 6.0 to 6.3 are good for the lane as a whole.
  const unbound = typeof store.trackTaskAbortController !== "function";
  return unbound ? rules.map((lane) => ({ ...lane, unbound })) : rules;
}

// assignments returns the ids of the lanes of all tasks and events, by id: what a lane's applyTo says counts, and else
// the tag.
function assignments(runner, store, { bindings, profiles }) {
  const lanes = new Map();
  for (const { lane } of bindings) lanes.set(lane.id, lane);
  for (const { serve } of Object.values(profiles)) for (const lane of serve) lanes.set(lane.id, lane);
  const entries = {
    tasks: [...store.tasks.values()].map(({ task }) => task),
    events: [...store.events.values()].map(({ event }) => event),
  };
  const found = { tasks: new Map(), events: new Map() };
  const assign = (kind, id, lane) => found[kind].has(id) || found[kind].set(id, lane.id);
  for (const lane of lanes.values()) {
    for (const kind of ["tasks", "events"]) {
      if (typeof lane.applyTo === "function") {
        for (const one of entries[kind]) {
          if (lane.applyTo({ ...one, path: one.id })) assign(kind, one.id, lane);
        }
      } else {
        for (const target of lane.applyTo ?? []) {
          const entry = store[kind].get(typeof target === "string" ? target : target?.id);
          if (entry) assign(kind, (entry.task ?? entry.event).id, lane);
        }
      }
    }
  }
  for (const kind of ["tasks", "events"]) {
    for (const one of entries[kind]) {
      const tagged = runner.tags.rpcLane.extract(one.tags)?.lane;
      if (tagged) assign(kind, one.id, tagged);
    }
  }
  return found;
}

// rule returns how the tokens of a lane are to be checked.
function rule(lane, auth, { tasks, events }) {
  try {
    const { header = "authorization", clockSkewMs: skew = SKEW } = auth;
    if (!Number.isFinite(skew)) throw new Error(`clockSkewMs is ${skew}`);
    return { lane, header: header.toLowerCase(), skew: Math.floor(skew), ...keysOf(auth) };
  } catch (error) {
    throw new Error(
      `the tokens of the lane ${lane} cannot be checked here: ${error.message}. Served without that, anybody with the ` +
        `server's own token could call ${[...tasks, ...events].join(", ")}. Give the lane keys that work, or check its ` +
        `callers in the Go program (Config.Authenticate, or a tunnel.Check on these ids) and say auth: { mode: "none" }`,
      { cause: error },
    );
  }
}

function keysOf(auth) {
  if (auth.mode !== undefined && auth.mode !== "jwt_hmac" && auth.mode !== "jwt_asymmetric") {
    throw new Error(`the mode ${JSON.stringify(auth.mode)} is not known`);
  }
  if (auth.mode !== "jwt_asymmetric") {
    const secret = auth.consumeSecret ?? auth.secret;
    if (typeof secret !== "string" || secret === "") throw new Error("there is no secret");
    return { secret };
  }
  const { algorithm = "EdDSA", publicKey, publicKeysByKid = {} } = auth;
  const texts = Object.entries(publicKeysByKid).filter(([, text]) => text);
  const first = publicKey || texts[0]?.[1];
  if (!first) throw new Error("there is no public key");
  const keys = Object.fromEntries(texts.map(([kid, text]) => [kid, publicPEM(text, algorithm)]));
  return { key: publicPEM(first, algorithm), keys };
}

// publicPEM returns a key in the one form that the server reads, if it is one for the algorithm.
function publicPEM(text, algorithm) {
  const key = createPublicKey(text);
  if (!ALGORITHMS[algorithm]?.(key)) throw new Error(`a key of type ${key.asymmetricKeyType} is not for ${algorithm}`);
  return key.export({ type: "spki", format: "pem" });
}

// aliases returns the other names of the ids that are served: the last part of an id where that is no other definition's,
// and from 6.2 on; the full id where 6.0 and 6.1 serve a short one.
function aliases(store, { taskIds, eventIds }) {
  const names = Object.create(null);
  for (const [served, definitions] of [[taskIds, store.tasks], [eventIds, store.events]]) {
    for (const id of served) {
      const name = id.slice(id.lastIndexOf(".") + 1);
      if (name !== id && store.lookup?.tryCanonicalId(name) === id) names[name] = id;
      const entry = definitions.get(id);
      const full = (entry?.task ?? entry?.event)?.id ?? id;
      if (full !== id) names[full] = id;
    }
  }
  return Object.keys(names).length > 0 ? names : undefined;
}

// isHashOf says whether a token's hash is that of a body, as the serializer writes it.
function isHashOf(hash, text) {
  const given = Buffer.from(hash);
  const right = Buffer.from(createHash("sha256").update(text).digest("base64url"));
  return given.length === right.length && timingSafeEqual(given, right);
}

// secondDoors returns the addresses at which the application listens by itself.
function secondDoors(entries) {
  return entries.flatMap(({ config, value }) => {
    const listen = config?.exposure?.http?.listen;
    return listen && value?.exposure ? [`${listen.host ?? "all interfaces"}, port ${listen.port}`] : [];
  });
}

module.exports = { aliases, isHashOf, laneRules, secondDoors };
