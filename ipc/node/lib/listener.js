"use strict";

// createWorkerListener makes this process a worker: it tells the server what it serves, runs what the server sends,
// and ends when the server has no more use for it.

const { ProtocolError, Decoder, encodeDraining, encodeHello, encodeLog, encodePong, PACKAGE } = require("./frames.js");
const { Channel, die } = require("./channel.js");
const { Call } = require("./call.js");
const { describe } = require("./describe.js");
const { moduleSource } = require("./module.js");
const { isRuntime, runnerSource } = require("./runner.js");
const { refusal, runtime } = require("./runtime.js");

const UNAVAILABLE = { message: "Worker unavailable", code: "WORKER_UNAVAILABLE" };
const PROTOCOL_ERROR = 70; // exit code: EX_SOFTWARE

// A source has: hello() with what it announces, task(call, text) and event(call, text), auth(call), abortReason(),
// and perhaps watch(announce), remarks() and dispose().
class Listener {
  #source;
  #channel = new Channel();
  #running = new Map(); // calls without an answer, by id
  #announced;
  #draining = false;
  #hurried = false; // it does not wait for the calls that run
  #exiting = false;
  isCutOff = false; // the server has gone, or wants to
  budget = { used: 0 }; // of all uploads

  constructor(source) {
    this.#source = source;
    this.announce();
    for (const [level, text] of source.remarks?.() ?? []) this.#channel.write(encodeLog(level, text));
    const decoder = new Decoder(guarded(this.#receive), guarded(this.#receiveData));
    this.#channel.read(
      (chunk, isLent) => {
        try {
          decoder.push(chunk, isLent);
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
          die(`go-tunnel worker: the server sent ${error.message}`, PROTOCOL_ERROR);
        }
      },
      () => this.#cutOff(),
    );
    source.watch?.(() => this.announce());
  }

  // announce says hello, unless the server knows all of it already.
  announce() {
    let hello;
    try {
      hello = encodeHello({ pid: process.pid, runtime, version: PACKAGE, ...this.#source.hello() });
    } catch (error) {
      if (this.#announced === undefined) throw error;
      this.#channel.write(encodeLog("warn", `the lists of tasks and events stay as they were: ${describe(error)}`));
      return;
    }
    if (hello === this.#announced) return;
    this.#announced = hello;
    this.#channel.write(hello);
  }

  // drain takes no more calls, and ends the process after those that run.
  drain() {
    if (this.#draining) return;
    this.#draining = true;
    if (!this.isCutOff) this.#channel.write(encodeDraining());
    // Both would end the process without dispose(): the server sends the signal when half of the time for a stop is
    // over, and the other one says that nothing can bring an answer to the calls that still run.
    const hurry = () => {
      this.#hurried = true;
      this.#exitWhenIdle();
    };
    process.on("SIGTERM", hurry);
    process.once("beforeExit", hurry);
    setImmediate(() => this.#exitWhenIdle()); // a handler may have asked, whose call is not yet among the running
  }

  #receive = (message, text) => {
    switch (message.type) {
      case "task":
      case "event":
      case "auth":
        return this.#start(message, text);
      case "cancel":
        return this.#running.get(message.id)?.cancel();
      case "window":
        return this.#running.get(message.id)?.grant(checkSize(message.size));
      case "file":
        return this.#upload(message)?.onDescribed(message);
      case "end":
        return this.#upload(message)?.end(message.error);
      case "ping":
        return this.#channel.write(encodePong(checkId(message.id)));
      case "drain":
        return this.drain();
    }
  };

  // What comes for a call that was answered has crossed the answer.
  #receiveData = (message, bytes) => this.#upload(message)?.receive(bytes);

  #upload({ id, s }) {
    return this.#running.get(id)?.upload(s);
  }

  #cutOff() {
    this.isCutOff = true;
    for (const call of this.#running.values()) call.cutOff();
    this.drain();
  }

  #start(message, text) {
    checkId(message.id);
    const call = new Call(this, message);
    try {
      if (this.#draining) call.fail(UNAVAILABLE);
      else if (text === null) call.fail({ message: "Payload too large", code: "PAYLOAD_TOO_LARGE" });
      else this.#source[message.type](call, text);
    } catch (error) {
      call.crash(error);
    }
    if (!call.done) this.#running.set(message.id, call);
  }

  // These are for calls.
  write(line) {
    this.#channel.write(line);
  }

  send(response) {
    this.#channel.send(response);
  }

  finish(call, line) {
    this.#running.delete(call.id);
    this.#channel.write(line);
    if (this.#draining) this.#exitWhenIdle();
  }

  abortReason() {
    return this.#source.abortReason();
  }

  async #exitWhenIdle() {
    if ((this.#running.size > 0 && !this.#hurried) || this.#exiting) return;
    this.#exiting = true;
    try {
      await this.#source.dispose?.();
    } catch (error) {
      console.error("go-tunnel worker: the application did not stop well:", error);
    }
    this.#channel.exit();
  }
}

// guarded returns a receive that throws what a handler's listeners throw after the chunk: where the process survives
// that, the rest of it has messages for others.
function guarded(receive) {
  return (message, content) => {
    try {
      receive(message, content);
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      process.nextTick(() => {
        throw error;
      });
    }
  };
}

function checkId(id) {
  if (!Number.isSafeInteger(id)) throw new ProtocolError(`a message without an id: ${id}`);
  return id;
}

function checkSize(size) {
  if (!(Number.isSafeInteger(size) && size > 0)) throw new ProtocolError(`a window of ${size} bytes`);
  return size;
}

function createWorkerListener(source, options = {}) {
  const refused = refusal();
  if (refused) throw new Error(refused);
  const listener = new Listener(isRuntime(source) ? runnerSource(source, options) : moduleSource(source));
  return { announce: () => listener.announce(), drain: () => listener.drain() };
}

module.exports = { createWorkerListener };
