"use strict";

// One call, from its message to its answer.

const { isIP } = require("node:net");
const { finished } = require("node:stream");
const promises = require("node:stream/promises");
const { encodeEnd, encodeError, encodeResult, encodeStream, encodeVoid } = require("./frames.js");
const { describe } = require("./describe.js");
const { Response } = require("./response.js");
const { Upload } = require("./upload.js");

// The sources that a listener serves get a Call and answer it, then or later, with exactly one of succeed, answer,
// stream and fail. What a handler may ask about the request is made when it asks.
class Call {
  #listener;
  #message;
  #controller;
  #headers;
  #uploads; // by number; undefined where there are none
  #response;
  #streaming = false; // the answer was sent, its stream was not yet
  #cancelled = false;
  done = false;

  constructor(listener, message) {
    this.#listener = listener;
    this.#message = message;
    if (message.body === true) this.#addUpload(0);
    if (Array.isArray(message.files)) message.files.forEach((_, i) => this.#addUpload(i + 1));
  }

  #addUpload(s) {
    this.#uploads ??= new Map();
    const write = (line) => this.#listener.write(line);
    this.#uploads.set(s, new Upload(this.#message.id, s, write, this.#listener.budget));
  }

  get id() {
    return this.#message.id;
  }

  // message is as it came, see frames.js.
  get message() {
    return this.#message;
  }

  // headers have lower-case names. The request id is the one that the server has settled on.
  get headers() {
    return (this.#headers ??= parseHeaders(this.#message));
  }

  get signal() {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cancelled) this.#abort();
    }
    return this.#controller.signal;
  }

  get isCancelled() {
    return this.#cancelled;
  }

  // isAbort says whether error is what the signal was aborted with.
  isAbort(error) {
    return this.#cancelled && this.#controller !== undefined && this.#controller.signal.reason === error;
  }

  cancel() {
    this.#cancelled = true;
    if (this.#controller !== undefined) this.#abort();
    if (this.#uploads === undefined && this.#response === undefined) return;
    const { reason } = this.signal;
    this.#uploads?.forEach((upload) => upload.abandon(reason));
    this.#response?.destroy(reason);
  }

  #abort() {
    this.#controller.abort(this.#listener.abortReason());
  }

  // upload returns stream s of the request; undefined if it has none.
  upload(s = 0) {
    return this.#uploads?.get(s);
  }

  // fileUpload returns the stream of the file with an id; undefined if the form has none.
  fileUpload(id) {
    return this.upload(this.#message.files.indexOf(id) + 1 || -1);
  }

  // remoteAddress is the caller's, without the port.
  get remoteAddress() {
    const { remote } = this.#message;
    return isIP(remote) ? remote : /^\[?([^\]]*)\]?:\d+$/.exec(remote)?.[1];
  }

  // isForm says whether the input came with a form, even one without files.
  get isForm() {
    return this.#message.files !== undefined;
  }

  // grant lets the response send so many bytes more.
  grant(size) {
    this.#response?.grant(size);
  }

  // cutOff says that nothing more will come for it.
  cutOff() {
    this.#uploads?.forEach((upload) => upload.complete || upload.abandon(new Error("the server has gone")));
    this.#response?.grantNoMore();
  }

  // response streams the answer, instead of succeed, answer and fail. It is there when it is asked for.
  get response() {
    if (this.#response === undefined) {
      this.#response = new Response(this);
      if (this.done) this.#response.destroy();
      if (this.#cancelled) this.#response.destroy(this.signal.reason);
      if (this.#listener.isCutOff) this.#response.grantNoMore();
    }
    return this.#response;
  }

  // hasResponse says whether somebody has asked for it.
  get hasResponse() {
    return this.#response !== undefined;
  }

  // stream answers with what a task has returned, see isStream, and waits for its end. What breaks off before the first
  // byte is not answered.
  async stream(value) {
    const source = sourceOf(value);
    const { response } = this;
    try {
      setHead(response, source === value ? {} : value);
      if (typeof source.on === "function") {
        finished(source, { writable: false }, (error) => error && response.fail(error));
      }
      if (!response.destroyed) source.pipe(response);
      await promises.finished(response);
    } finally {
      if (!response.writableFinished) source.destroy?.();
    }
  }

  // succeed answers with the JSON text of a result; undefined: none.
  succeed(json) {
    this.#end(encodeResult(this.#message.id, json));
  }

  // succeedWithout answers without a result, and not even with undefined: as Runner 4 does.
  succeedWithout() {
    this.#end(encodeVoid(this.#message.id));
  }

  // answer takes the JSON text of an object that lacks nothing but the call's id. It breaks off what is being streamed.
  answer(json) {
    if (this.#streaming) return this.fail({ message: json });
    // Text that is made to be read has line ends, which are blanks to JSON: inside a string they are escaped.
    const line = json.includes("\n") ? json.replaceAll("\n", " ") : json;
    this.#end(`{"id":${this.#message.id},${line.slice(1)}\n`);
  }

  // fail answers with { message, code, … }, or breaks off what is being streamed, unless that is whole.
  fail(error) {
    if (!this.#streaming) this.#end(encodeError(this.#message.id, error));
    else if (!this.#response.writableEnded) this.#response.fail(new Error(error.message));
  }

  // crash answers with an error whose text is for the server's log only.
  crash(error) {
    this.fail({ message: describe(error), code: "EXECUTION_ERROR" });
  }

  // begin, send, finish and breakOff are for the response, which does nothing more once the call has been answered.
  begin(head) {
    this.#streaming = true;
    this.#listener.write(encodeStream(this.#message.id, head));
  }

  send(response) {
    this.#listener.send(response);
  }

  finish() {
    this.#end(encodeEnd(this.#message.id));
  }

  breakOff(error) {
    if (this.#streaming) this.#end(encodeEnd(this.#message.id, describe(error)));
  }

  #end(line) {
    if (this.done) return;
    this.done = true;
    this.#listener.finish(this, line);
    if (this.#uploads === undefined && this.#response === undefined) return;
    const error = new Error("the call has been answered");
    this.#uploads?.forEach((upload) => upload.abandon(error));
    if (!this.#streaming) this.#response?.destroy(error);
  }
}

// isStream says whether a task's result is to be streamed: a stream, or { stream, status, contentType, headers }.
function isStream(value) {
  return typeof value?.pipe === "function" || (typeof value === "object" && typeof value?.stream?.pipe === "function");
}

// sourceOf returns the stream of a value that isStream.
function sourceOf(value) {
  return typeof value.pipe === "function" ? value : value.stream;
}

function setHead(response, { status, contentType, headers }) {
  response.statusCode = status ?? 200;
  response.setHeader("content-type", contentType ?? "application/octet-stream");
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
}

const REQUEST_ID = "x-runner-request-id";

function parseHeaders({ headers, requestId }) {
  const parsed = {};
  if (headers) {
    const parts = headers.split("\n");
    for (let i = 0; i + 1 < parts.length; i += 2) parsed[parts[i]] = parts[i + 1];
  }
  if (requestId !== undefined) parsed[REQUEST_ID] = requestId;
  return parsed;
}

module.exports = { Call, isStream, sourceOf };
