"use strict";

// The streamed answer of a call, as node:http's response: what useExposureContext().res is, and where a task's stream
// goes.

const { OutgoingMessage } = require("node:http");
const { Writable } = require("node:stream");
const { isUint8Array } = require("node:util/types");
const { WINDOW, FIRST_CREDIT, encodeData } = require("./frames.js");

const MAX_PARTS = 16; // parts of one message: more are cheaper to copy than to send

// Response tells its call, with begin(head), finish() and breakOff(error), how it fares, and gives its bytes to the
// channel, which calls take.
class Response extends Writable {
  #call;
  #headers = new OutgoingMessage(); // knows the rules
  #parts = []; // to be sent
  #length = 0; // of #parts
  #onSent; // says that they were
  #credit = FIRST_CREDIT;
  #queued = false; // the channel has it in its queue
  #last = false; // there will be no more credit
  #begun = false;
  #statusCode = 200;
  statusMessage = "";
  headersSent = false;

  constructor(call) {
    super({ highWaterMark: WINDOW });
    this.#call = call;
    this.on("error", () => {}); // breakOff has told it
  }

  // used says whether the handler has answered with it, or is about to.
  get used() {
    return this.headersSent || this.writableEnded || this.destroyed;
  }

  get statusCode() {
    return this.#statusCode;
  }

  set statusCode(status) {
    status |= 0; // as Node.js does
    if (status < 100 || status > 999) throw new RangeError(`no HTTP status: ${status}`);
    this.#statusCode = status;
  }

  writeHead(statusCode, ...rest) {
    this.#checkUnsent();
    this.statusCode = statusCode;
    const headers = rest.at(-1);
    if (typeof rest[0] === "string") this.statusMessage = rest[0];
    if (Array.isArray(headers)) {
      const fields = pairs(headers.flat());
      for (const [name] of fields) this.#headers.removeHeader(name);
      for (const [name, value] of fields) this.#headers.appendHeader(name, value);
    } else if (typeof headers === "object") {
      for (const [name, value] of Object.entries(headers ?? {})) this.#headers.setHeader(name, value);
    }
    this.headersSent = true;
    return this;
  }

  flushHeaders() {
    this.#begin(true);
  }

  // begin sends the head. Without flush the server may wait for the first bytes, to answer with what fails before them.
  #begin(flush) {
    if (this.#begun || this.destroyed) return;
    this.headersSent = true;
    this.#begun = true;
    this.#call.begin({ status: this.#statusCode, ...this.#head(), flush });
  }

  // write ends the response after what is no bytes, and does not throw: pipe could not catch it.
  write(chunk, ...rest) {
    if (this.writableEnded) return false;
    if (typeof chunk === "string" || isUint8Array(chunk)) return super.write(chunk, ...rest);
    this.destroy(new TypeError(`a stream of bytes or text is needed, and not of what is ${typeof chunk}`));
    return false;
  }

  // end does nothing the second time, and write nothing after it, as in Node.js, which breaks nothing off.
  end(...args) {
    if (this.writableEnded) return this;
    this.#begin();
    return super.end(...args);
  }

  // fail breaks it off after what was written.
  fail(error) {
    if (this.writableEnded) this.destroy(error);
    else this.write("", () => this.destroy(error));
  }

  // grant gives credit for so many bytes more.
  grant(size) {
    this.#credit += size;
    this.#queue();
  }

  // grantNoMore makes it end when it has used up its credit.
  grantNoMore() {
    this.#last = true;
    this.#queue();
  }

  take(most) {
    const length = Math.min(most, this.#credit, this.#length);
    const parts = this.#cut(length);
    this.#credit -= length;
    this.#length -= length;
    this.#queued = this.#length > 0 && this.#credit > 0;
    const onSent = this.#length === 0 ? this.#onSent : undefined;
    this.#queue();
    return { line: encodeData(this.#call.id, length), parts, length, more: this.#queued, onSent };
  }

  _write(chunk, _encoding, callback) {
    this.#send([chunk], callback);
  }

  _writev(chunks, callback) {
    this.#send(chunks.map(({ chunk }) => chunk), callback);
  }

  _final(callback) {
    this.#call.finish();
    callback();
  }

  _destroy(error, callback) {
    this.#parts = [];
    this.#length = 0;
    this.#call.breakOff(error ?? new Error("the response was destroyed"));
    callback(error);
  }

  #send(parts, callback) {
    this.#length = parts.reduce((sum, { length }) => sum + length, 0);
    if (this.#length === 0) return callback();
    this.#begin();
    this.#parts = parts;
    this.#onSent = callback;
    this.#queue();
  }

  #queue() {
    if (this.#length === 0 || this.#queued) return;
    if (this.#credit > 0) {
      this.#queued = true;
      this.#call.send(this);
    } else if (this.#last) {
      this.destroy(new Error("the server has gone"));
    }
  }

  // cut takes so many bytes from the front of #parts.
  #cut(length) {
    let count = 0;
    let size = 0;
    while (size < length) size += this.#parts[count++].length;
    const parts = this.#parts.splice(0, count);
    if (size > length) {
      const last = parts.at(-1);
      const end = last.length - (size - length);
      parts[count - 1] = last.subarray(0, end);
      this.#parts.unshift(last.subarray(end));
    }
    return count > MAX_PARTS ? [Buffer.concat(parts, length)] : parts;
  }

  #head() {
    const headers = [];
    let contentType;
    for (const [name, value] of Object.entries(this.#headers.getHeaders())) {
      if (name === "content-type") contentType = String(value);
      else for (const one of [value].flat()) headers.push(name, String(one));
    }
    return { contentType, headers: headers.length > 0 ? headers : undefined };
  }

  #checkUnsent() {
    if (!this.headersSent) return;
    throw Object.assign(new Error("the headers have been sent"), { code: "ERR_HTTP_HEADERS_SENT" });
  }

  static {
    for (const name of ["setHeader", "setHeaders", "appendHeader", "removeHeader"]) {
      this.prototype[name] = function (...args) {
        this.#checkUnsent();
        this.#headers[name](...args);
        return this;
      };
    }
    // What need not arrive, and does not.
    for (const name of ["addTrailers", "writeContinue", "writeEarlyHints", "writeProcessing"]) {
      this.prototype[name] = function () {};
    }
    for (const name of ["getHeader", "getHeaders", "getHeaderNames", "hasHeader"]) {
      this.prototype[name] = function (...args) {
        return this.#headers[name](...args);
      };
    }
  }
}

function pairs(flat) {
  return flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : []));
}

module.exports = { Response };
