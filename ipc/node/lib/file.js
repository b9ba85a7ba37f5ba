"use strict";

// The files of a form, as Runner's tasks know them.

const { createWriteStream } = require("node:fs");
const { mkdir, rm } = require("node:fs/promises");
const { randomUUID } = require("node:crypto");
const os = require("node:os");
const path = require("node:path");
const { pipeline } = require("node:stream/promises");

const NAME = "upload"; // of a file that nobody has named
const TYPE = "text/plain"; // of a part that has none

// InputFile does what Runner's NodeInputFile does, for tasks without Runner.
class InputFile {
  #stream;
  #consumed = false;

  constructor({ name, type, size, lastModified, extra }, stream) {
    Object.assign(this, { name, type, size, lastModified, extra });
    this.#stream = stream;
  }

  async resolve() {
    return { stream: this.stream() };
  }

  stream() {
    if (this.#consumed) throw new Error("the file has been read already: its stream can be used once");
    this.#consumed = true;
    return this.#stream;
  }

  async toTempFile(dir = os.tmpdir()) {
    const stream = this.stream();
    const safe = String(this.name).replace(/[^a-zA-Z0-9._-]/g, "_").slice(0, 64) || NAME;
    const file = path.join(dir, `${safe}.${randomUUID()}`);
    await mkdir(dir, { recursive: true });
    const writing = createWriteStream(file, { flags: "wx", mode: 0o600 });
    try {
      await pipeline(stream, writing);
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
    return { path: file, bytesWritten: writing.bytesWritten };
  }
}

// receivedFile returns the class of the files of forms, which is Base, InputFile or Runner's: their names and types are
// known with the first bytes only, and who waits for a file gets them.
function receivedFile(Base) {
  return class ReceivedFile extends Base {
    #upload;
    #given = {}; // what the manifest says
    #known;

    constructor(upload) {
      super({ name: NAME }, upload.readable);
      this.#upload = upload;
      this.#known = new Promise((resolve, reject) => {
        upload.onDescribed = ({ name, contentType = TYPE }) => {
          if (this.#given.name === undefined && name !== undefined) this.name = name;
          if (this.#given.type === undefined) this.type = contentType;
          resolve();
        };
        upload.readable.once("close", () => {
          reject(upload.readable.errored ?? new Error("the stream of the file was closed"));
        });
      });
      this.#known.catch(() => {}); // it is nobody's business until somebody waits
    }

    // give takes the metadata of a sentinel.
    static give(file, meta) {
      for (const key of ["name", "type", "size", "lastModified", "extra"]) {
        if (meta?.[key] === undefined) continue;
        file.#given[key] = meta[key];
        file[key] = meta[key];
      }
    }

    async resolve() {
      const stream = this.stream();
      this.#upload.open();
      await this.#known;
      return { stream };
    }

    async toTempFile(dir) {
      this.#upload.open();
      await this.#known;
      return super.toTempFile(dir);
    }
  };
}

// fillIn puts files into a call's input, where it has sentinels for them, and returns it.
function fillIn(call, input, ReceivedFile) {
  const files = new Map();
  return visit(input, (value) => {
    const { id, meta } = value;
    if (!isSentinel(value)) return undefined;
    const upload = call.fileUpload(id);
    if (upload === undefined) return undefined;
    if (!files.has(id)) files.set(id, new ReceivedFile(upload));
    ReceivedFile.give(files.get(id), meta);
    return files.get(id);
  });
}

// FormNeeded is for callers who name a file and send none. Its properties are the convention of http-errors.
class FormNeeded extends Error {
  expose = true;
  code = "UNSUPPORTED_MEDIA_TYPE";
}

// mayNameFiles says whether there can be a sentinel in the JSON text of an input. An escape may spell any of it.
function mayNameFiles(text) {
  return text.includes("File") || text.includes("\\u");
}

// withoutForm is for the input of a call that is no form, which it returns. Sentinels stay the data that they are, but who
// takes one for a file is told that the caller must send a form.
function withoutForm(call, input) {
  const isEvent = call.message.eventId !== undefined;
  const refuse = () => {
    throw new FormNeeded(isEvent ? "An event takes no files" : "The task takes a body of type multipart/form-data");
  };
  const methods = { resolve: async () => refuse(), toTempFile: async () => refuse(), stream: () => refuse() };
  return visit(input, (value) => {
    if (!isSentinel(value) || !isPlain(value)) return undefined;
    for (const [name, method] of Object.entries(methods)) {
      if (!Object.hasOwn(value, name)) Object.defineProperty(value, name, { value: method }); // which nobody lists
    }
    return value;
  });
}

function isSentinel({ $runnerFile, $ejson, id }) {
  return ($runnerFile === "File" || $ejson === "File") && typeof id === "string";
}

// visit puts what replace returns in place of the objects of an input, unless that is undefined, and returns the input.
function visit(input, replace) {
  const seen = new Set(); // an input may have cycles

  const step = (value) => {
    if (typeof value !== "object" || value === null || seen.has(value)) return value;
    const other = replace(value);
    if (other !== undefined) return other;
    seen.add(value);
    if (value instanceof Map) {
      const entries = [...value];
      value.clear();
      for (const [key, item] of entries) value.set(step(key), step(item));
    } else if (value instanceof Set) {
      const items = [...value];
      value.clear();
      for (const item of items) value.add(step(item));
    } else if (isPlain(value)) {
      for (const key of Object.keys(value)) value[key] = step(value[key]);
    }
    return value;
  };

  return step(input);
}

// isPlain says whether a value is an array or an object of no class: only those are searched.
function isPlain(value) {
  if (Array.isArray(value)) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

module.exports = { InputFile, FormNeeded, receivedFile, fillIn, mayNameFiles, withoutForm };
