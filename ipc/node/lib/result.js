"use strict";

// What a task of a module may return beside what JSON can say: everything that is made of bytes.

const { Readable } = require("node:stream");

// streamOf returns { stream, status, contentType, headers } with a Node.js stream if value is to be streamed; undefined
// if it is a value for JSON. It throws if the stream cannot be had.
function streamOf(value) {
  if (typeof value !== "object" || value === null) {
    return typeof value?.pipe === "function" ? { stream: value } : undefined;
  }
  if (isSource(value)) return { contentType: isBlob(value) ? value.type || undefined : undefined, stream: open(value) };
  if (isResponse(value)) return ofResponse(value);
  const { stream } = value;
  if (!isSource(stream)) return undefined;
  const { status, contentType = (isBlob(stream) && stream.type) || undefined, headers } = value;
  return { stream: open(stream), status, contentType, headers };
}

// isSource says whether value gives bytes piece by piece. Arrays, maps and sets do not: they are values.
function isSource(value) {
  if (typeof value?.pipe === "function") return true;
  if (typeof value !== "object" || value === null) return false;
  if (isWebStream(value) || isBlob(value) || typeof value[Symbol.asyncIterator] === "function") return true;
  return typeof value.next === "function" && typeof value[Symbol.iterator] === "function";
}

function isWebStream(value) {
  return typeof value.getReader === "function";
}

function isBlob(value) {
  return typeof value.stream === "function" && typeof value.arrayBuffer === "function" && typeof value.size === "number";
}

// isResponse is true of what fetch brings, and of what other packages make like it.
function isResponse(value) {
  return typeof value.headers?.forEach === "function" && typeof value.status === "number" && "bodyUsed" in value;
}

function open(source) {
  if (typeof source.pipe === "function") return source;
  if (isWebStream(source)) return ofWebStream(source);
  if (isBlob(source)) return ofWebStream(source.stream());
  return Readable.from(source);
}

// ofWebStream reads one piece at a time, and cancels the source when it is destroyed. Readable.fromWeb takes only the
// streams of Node.js itself.
function ofWebStream(web) {
  const reader = web.getReader();
  return new Readable({
    objectMode: true, // the response says no to what is no bytes
    highWaterMark: 1,
    read() {
      reader.read().then(
        ({ done, value }) => {
          if (done) this.push(null);
          else if (value === null || value === undefined) this.destroy(new TypeError(`a web stream gave ${value}`));
          else this.push(bytesOf(value));
        },
        (error) => this.destroy(asError(error)),
      );
    },
    destroy(error, callback) {
      const over = () => callback(error);
      reader.cancel(error ?? undefined).then(over, over);
    },
  });
}

// bytesOf makes a Uint8Array of other views of bytes.
function bytesOf(value) {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return value;
}

function asError(reason) {
  return reason instanceof Error ? reason : new Error(String(reason));
}

function ofResponse(response) {
  const { status, body } = response;
  if (status === 0) throw new TypeError("a Response of type error or opaque, which has no status, cannot be sent");
  if (response.bodyUsed || body?.locked) throw new TypeError("the body of a Response was read before it was returned");
  const headers = {};
  response.headers.forEach((text, name) => (headers[name] = text));
  const contentType = headers["content-type"];
  delete headers["content-type"];
  // What fetch has received it has decoded.
  if (response.url && headers["content-encoding"] !== undefined) {
    delete headers["content-encoding"];
    delete headers["content-length"];
  }
  return { stream: body ? open(body) : Readable.from([]), status, contentType, headers };
}

// encode returns the JSON of a value; undefined for none. It throws where JSON would drop what the value has.
function encode(value) {
  const json = JSON.stringify(value);
  if (json !== undefined && (json.includes("{}") || json.includes('{"0":'))) {
    const lost = findLost(value);
    if (lost) {
      const path = lost.path.reverse().map((key) => `[${JSON.stringify(key)}]`);
      throw new TypeError(
        `the result${path.join("")} is of type ${lost.kind}, of which JSON keeps nothing: return what it has as arrays, ` +
          "objects, text and numbers, or bytes as a stream",
      );
    }
  }
  return json;
}

const HARMLESS = new Set(["Object", "Array", "String", "Number", "Boolean"]);

// findLost returns { kind, path } of a part of value, keys in reverse, that is no plain object and of which JSON makes an
// empty one, or an object of indices; undefined if there is none.
function findLost(value, key = "") {
  if (typeof value !== "object" || value === null) return undefined;
  if (typeof value.toJSON === "function") {
    value = value.toJSON(key);
    if (typeof value !== "object" || value === null) return undefined;
  }
  const keys = Object.keys(value);
  if (keys.length === 0 || ArrayBuffer.isView(value)) {
    const kind = Object.prototype.toString.call(value).slice(8, -1);
    return HARMLESS.has(kind) ? undefined : { kind, path: [] };
  }
  for (const key of keys) {
    const lost = findLost(value[key], key);
    if (lost) {
      lost.path.push(key);
      return lost;
    }
  }
  return undefined;
}

module.exports = { encode, streamOf };
