"use strict";

// The wire between the server and a worker, version 1: one JSON object a line. A line that has the member "n" is
// followed directly by n raw bytes: the JSON text of an input or a payload, or bytes of a stream. The twin of this file
// is Go's internal/wire/frames.go; test/golden.json is read by the tests of both.

const { isAscii, constants } = require("node:buffer");

const WIRE = 1;
const PACKAGE = "0.1.0"; // the version in package.json, which the bundled runtime does not have
const MAX_LINE = 16 << 20; // bytes of a line, without its bytes
const MAX_BYTES = 1 << 30; // bytes that a line may announce
const MAX_DATA = 64 << 10; // bytes of a stream in one message
const FULL_DATA = 63 << 10; // bytes of those that the server sends: with their line they fit a pipe
const WINDOW = 4 * FULL_DATA; // bytes that a stream may be ahead of its reader
const FIRST_CREDIT = 16 << 10; // bytes that may be sent of a result before the server has asked for any

// ProtocolError says that the other side is broken. Nothing can be trusted after it: the worker has to end.
class ProtocolError extends Error {
  name = "ProtocolError";
}

// Decoder cuts what arrives into messages and calls receive(message, text) for each. text is what the n bytes say as
// UTF-8; undefined where there are none; null where they do not fit a JavaScript string. The bytes of data messages go
// to receiveData(message, bytes) instead, piece by piece as they arrive.
class Decoder {
  #receive;
  #receiveData;
  #message = null; // what was announced, while its bytes are still coming
  #parts = []; // of an unfinished line, or of #message's bytes
  #length = 0; // of #parts, or what was passed on of #message's data
  #bulk = false; // there was data a moment ago, which is not to become text
  #isLent = false; // the chunk: what is kept of it has to be copied

  constructor(receive, receiveData) {
    this.#receive = receive;
    this.#receiveData = receiveData;
  }

  // push takes the next chunk. It keeps parts of it, which the caller must not write to again, unless it is only lent.
  push(chunk, isLent = false) {
    this.#isLent = isLent;
    if (this.#message === null && this.#length > 0) {
      const end = chunk.indexOf(10);
      checkLine(this.#length + (end === -1 ? chunk.length : end));
      if (end === -1) return this.#keep(chunk);
      this.#keep(chunk.subarray(0, end + 1));
      chunk = chunk.subarray(end + 1);
      this.#read(this.#take());
    }
    if (this.#message?.type === "data") {
      chunk = chunk.subarray(this.#pass(chunk, 0));
    } else if (this.#message !== null) {
      const missing = this.#message.n - this.#length;
      if (chunk.length < missing) return this.#keep(chunk);
      this.#keep(chunk.subarray(0, missing));
      chunk = chunk.subarray(missing);
      const message = this.#message;
      this.#message = null;
      const bytes = this.#take();
      this.#receive(message, bytes && bytes.utf8Slice(0, bytes.length));
    }
    if (chunk.length > 0) this.#read(chunk);
  }

  // read takes a chunk that starts with a line. A single conversion makes positions in the text positions of bytes;
  // where data is expected, the lines are converted one by one.
  #read(chunk) {
    const receive = this.#receive;
    const text = this.#bulk ? null : chunk.latin1Slice(0, chunk.length);
    const ascii = text !== null && isAscii(chunk);
    this.#bulk = false;
    let at = 0;
    for (;;) {
      const end = text === null ? chunk.indexOf(10, at) : text.indexOf("\n", at);
      checkLine((end === -1 ? chunk.length : end) - at);
      if (end === -1) break;
      const message = parseLine(text === null ? chunk.latin1Slice(at, end) : text.slice(at, end));
      at = end + 1;
      const { n } = message;
      if (n === undefined) {
        receive(message, undefined);
        continue;
      }
      if (!(Number.isInteger(n) && n >= 0 && n <= MAX_BYTES)) throw new ProtocolError(`${n} bytes announced`);
      if (message.type === "data") {
        this.#message = message;
        at += this.#pass(chunk, at);
        continue;
      }
      if (chunk.length - at < n) {
        this.#message = message;
        break;
      }
      receive(message, ascii ? text.slice(at, at + n) : chunk.utf8Slice(at, at + n));
      at += n;
    }
    if (at < chunk.length) this.#keep(chunk.subarray(at));
  }

  // pass hands on what the chunk has of #message's data, from at on, and returns how much that is.
  #pass(chunk, at) {
    this.#bulk = true;
    const message = this.#message;
    const size = Math.min(message.n - this.#length, chunk.length - at);
    this.#length += size;
    if (this.#length === message.n) {
      this.#message = null;
      this.#length = 0;
    }
    if (size > 0) this.#receiveData(message, this.#own(chunk.subarray(at, at + size)));
    return size;
  }

  #keep(part) {
    this.#length += part.length;
    // Bytes that no string can hold are counted only.
    if (this.#message === null || this.#message.n <= constants.MAX_STRING_LENGTH) this.#parts.push(this.#own(part));
  }

  #own(part) {
    return this.#isLent ? Buffer.from(part) : part;
  }

  #take() {
    const bytes = this.#parts.length === 0 && this.#length > 0 ? null : Buffer.concat(this.#parts, this.#length);
    this.#parts = [];
    this.#length = 0;
    return bytes;
  }
}

function checkLine(length) {
  if (length > MAX_LINE) throw new ProtocolError(`a line of more than ${MAX_LINE} bytes`);
}

function parseLine(line) {
  let message;
  try {
    message = JSON.parse(line);
  } catch {
    // The check below says so.
  }
  if (typeof message !== "object" || message === null || Array.isArray(message)) {
    throw new ProtocolError(`a line that is no JSON object: ${JSON.stringify(line.slice(0, 100))}`);
  }
  return message;
}

// encodeHello is the worker's first message, and again whenever the lists have changed.
// What it says of lanes has their secrets in it.
function encodeHello({ pid, runtime, version, tasks, events, auth, schemas, idempotent, aliases, lanes }) {
  const hello = { type: "hello", wire: WIRE, pid, runtime, version, tasks, events, auth, schemas, idempotent, aliases, lanes };
  return `${JSON.stringify(hello)}\n`;
}

// encodeResult answers a call. json is the text of the result; undefined: none.
function encodeResult(id, json) {
  return json === undefined ? `{"id":${id},"ok":true}\n` : `{"id":${id},"ok":true,"result":${json}}\n`;
}

// encodeVoid answers a call that has no result, where encodeResult without one stands for undefined.
function encodeVoid(id) {
  return `{"id":${id},"ok":true,"void":true}\n`;
}

function encodeError(id, error) {
  return `{"id":${id},"ok":false,"error":${JSON.stringify(error)}}\n`;
}

// encodeStream answers a call with a stream. All of the head { status, contentType, headers, flush } may be left out.
function encodeStream(id, { status, contentType, headers, flush }) {
  return `${JSON.stringify({ id, ok: true, stream: true, status, contentType, headers, flush })}\n`;
}

// encodeData is the line before n bytes of a result.
function encodeData(id, n) {
  return `{"type":"data","id":${id},"n":${n}}\n`;
}

// encodeEnd ends the stream of a result. error is text for the server's log; undefined: it is whole.
function encodeEnd(id, error) {
  return `${JSON.stringify({ type: "end", id, error })}\n`;
}

// encodeWindow asks for more of stream s of a call's request, and for its first bytes.
function encodeWindow(id, s, size) {
  return `{"type":"window","id":${id},"s":${s},"size":${size}}\n`;
}

// encodeStop asks for no more of it.
function encodeStop(id, s) {
  return `{"type":"stop","id":${id},"s":${s}}\n`;
}

function encodePong(id) {
  return `{"type":"pong","id":${id}}\n`;
}

// encodeDraining says that the worker takes no more calls by its own wish.
function encodeDraining() {
  return '{"type":"draining"}\n';
}

function encodeLog(level, message) {
  return `${JSON.stringify({ type: "log", level, message })}\n`;
}

module.exports = {
  PACKAGE,
  WIRE,
  MAX_LINE,
  MAX_BYTES,
  MAX_DATA,
  FULL_DATA,
  WINDOW,
  FIRST_CREDIT,
  ProtocolError,
  Decoder,
  encodeHello,
  encodeResult,
  encodeVoid,
  encodeError,
  encodeStream,
  encodeData,
  encodeEnd,
  encodeWindow,
  encodeStop,
  encodePong,
  encodeDraining,
  encodeLog,
};
