"use strict";

// The two ends of the worker's private pipes, and how bytes get through them.

const net = require("node:net");
const { createReadStream, createWriteStream, fstatSync, statSync, writeSync } = require("node:fs");
const { MAX_DATA } = require("./frames.js");
const { isBun, isDeno } = require("./runtime.js");

const VARIABLE = "TUNNEL_IPC"; // "3,4": read from 3, write to 4; "stdio": standard input and output
const BIG = 1 << 20; // characters that are written at once instead of at the end of the tick
const FULL = 16 << 20; // bytes waiting to leave: until they have left, nothing more is read
const BUFFER = 64 << 10; // bytes: no more than a pipe holds come at once
const LENT_BELOW = 56 << 10; // bytes: what is less takes less memory as a copy
const MAX_LEAVING = 128 << 10; // bytes of streams that are leaving at once: messages written later come after them
const LOG_TIME = 2_000; // ms for the log to leave at the end

const offered = Symbol.for("@bluelibs/tunnel-worker/channel");

// The offer leaves the environment at once, where children would see it. It waits where every copy of this file finds
// it: a module that the runtime of the Go package has loaded may call the createWorkerListener of the npm package. No
// import brings these two together, since that runtime is a program on the standard input, and no file.
if (process.env[VARIABLE] !== undefined) {
  process[offered] = process.env[VARIABLE];
  delete process.env[VARIABLE];
}

// isOffered says whether an offer still waits for its Channel.
function isOffered() {
  return process[offered] !== undefined;
}

// Channel opens the pipes that the server has offered. There is one in a process.
class Channel {
  #openInput; // (take): opens the input and calls take(chunk, isLent) for what arrives
  #isFull = false; // too much waits to leave
  #output;
  #write; // (text or bytes, callback): of the output
  #text = "";
  #streams = []; // that have something to send, in turn
  #leaving = 0; // bytes of streams
  #scheduled = false;

  constructor() {
    const where = process[offered];
    if (where === undefined) {
      throw new Error(
        `${VARIABLE} is not set: this program is a worker, and go-tunnel has to start it (ipc.Start or ipc.Node)`,
      );
    }
    process[offered] = undefined;
    this.#open(where);
    // The server has gone. It has the answers that it wanted.
    this.#output.on("error", () => process.exit(0));
  }

  #open(where) {
    if (where === "stdio") {
      this.#openInput = (take) => process.stdin.on("data", (chunk) => take(chunk, false));
      this.#output = process.stdout;
      this.#write = this.#output.write.bind(this.#output);
      this.#output.write = process.stderr.write.bind(process.stderr); // console.log ends here too
      return;
    }
    const [, input, output] = /^(\d+),(\d+)$/.exec(where) ?? [];
    if (input === undefined) throw new Error(`${VARIABLE} is ${JSON.stringify(where)}, which this version cannot read`);
    for (const fd of [input, output]) checkPipe(Number(fd));
    const { openInput, openOutput } = isBun ? files : sockets;
    this.#openInput = (take) => openInput(Number(input), take);
    this.#output = openOutput(Number(output));
    this.#write = this.#output.write.bind(this.#output);
  }

  // read calls onChunk(chunk, isLent) for what arrives, until onEnd: what is lent is overwritten by the next chunk. While
  // too much waits to leave, nothing arrives, and streams wait: the server reads on whatever it writes, so that the
  // output gets empty.
  read(onChunk, onEnd) {
    const input = this.#openInput((chunk, isLent) => {
      onChunk(chunk, isLent);
      if (this.#isFull || this.#output.writableLength <= FULL) return;
      this.#isFull = true;
      input.pause();
      this.#output.once("drain", () => {
        this.#isFull = false;
        input.resume();
        this.#schedule();
      });
    });
    input.on("end", onEnd);
    input.on("error", onEnd); // what a broken pipe says instead of its end
  }

  // write sends text at the end of this tick, together with all else that is written until then.
  write(text) {
    this.#text += text;
    if (this.#text.length > BIG) this.#flushText();
    else this.#schedule();
  }

  // send takes data from a stream at the end of this tick, and then as the output gets empty, a message at a time by
  // turns with other streams. What is written goes first. stream.take(most) returns { line, parts, length, more,
  // onSent }: if more is false, the stream is to be sent anew when it has something.
  send(stream) {
    this.#streams.push(stream);
    this.#schedule();
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  #flush = () => {
    this.#scheduled = false;
    if (this.#streams.length === 0) return this.#flushText();
    this.#output.cork(); // one system call for all
    this.#flushText();
    while (this.#streams.length > 0 && this.#leaving < MAX_LEAVING && !this.#isFull) {
      const stream = this.#streams.shift();
      const data = stream.take(MAX_DATA);
      this.#sendData(data);
      if (data.more) this.#streams.push(stream);
    }
    this.#output.uncork();
  };

  #flushText() {
    const text = this.#text;
    if (text === "") return;
    this.#text = "";
    this.#write(text);
  }

  #sendData({ line, parts, length, onSent }) {
    if (length === 0) return; // it has come to its end meanwhile
    this.#leaving += length;
    this.#write(line);
    const last = parts.pop();
    for (const part of parts) this.#write(part);
    this.#write(last, () => {
      this.#leaving -= length;
      if (this.#streams.length > 0) this.#schedule();
      if (onSent) process.nextTick(onSent); // by itself: what listeners throw is not to end the callbacks of others
    });
  }

  // exit ends the process once all that was written has left it, to the log too: what a process prints to a pipe may
  // still be in it. The server reads both to their end; a log that it does not read is no reason to stay for ever.
  async exit() {
    await new Promise((resolve) => this.#write(this.#text, resolve));
    setTimeout(() => process.exit(0), LOG_TIME);
    await Promise.all([process.stdout, process.stderr].map((log) => new Promise((resolve) => log.write("", resolve))));
    process.exit(0);
  }
}

// What reads and writes a pipe for an event loop, without a thread.
const sockets = {
  openInput: (fd, take) => new net.Socket({ fd, readable: true, writable: false, onread: lending(take) }),
  openOutput: (fd) => new net.Socket({ fd, readable: false, writable: true }),
};

// Bun has no sockets for descriptors.
const files = {
  openInput: (fd, take) =>
    createReadStream("", { fd, highWaterMark: BUFFER }).on("data", (chunk) => take(chunk, false)),
  openOutput: (fd) => createWriteStream("", { fd }),
};

// checkPipe throws if a descriptor is not what the server has opened: a program that starts another one closes what it
// does not pass on, and the number gets something else, such as the other one's channel to it.
function checkPipe(fd) {
  try {
    const status = isDeno ? statSync(`/dev/fd/${fd}`) : fstatSync(fd); // it knows descriptors that it has opened only
    if (status.isFIFO() || (status.isSocket() && process.channel === undefined)) return;
  } catch (error) {
    if (isDeno && error.code !== "ENOENT") return; // it may not look
  }
  throw new Error(
    `descriptor ${fd} is not the server's pipe: a program between go-tunnel and this one has not passed descriptors 3 ` +
      "and 4 on, as tsx, nodemon, npm run, npx and node --watch do not: start node itself, with the flags --import tsx for TypeScript",
  );
}

// lending returns the onread option of a socket which reads into the same buffer again and again: small chunks take no
// memory. One that fills most of the buffer is given away with it.
function lending(take) {
  let buffer = Buffer.allocUnsafeSlow(BUFFER);
  return {
    buffer: () => buffer,
    callback(size) {
      const chunk = buffer.subarray(0, size);
      const isLent = size < LENT_BELOW;
      if (!isLent) buffer = Buffer.allocUnsafeSlow(BUFFER);
      take(chunk, isLent);
    },
  };
}

// die ends the process after a message that tells why, which must not be lost on the way.
function die(message, code) {
  tell(message);
  process.exit(code);
}

function tell(message) {
  try {
    writeSync(2, `${message}\n`);
  } catch {
    // Nobody listens.
  }
}

module.exports = { Channel, isOffered, die, tell };
