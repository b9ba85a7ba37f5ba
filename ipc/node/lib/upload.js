"use strict";

// The streams of a call's request: its raw body, or the files of its form.

const { Readable } = require("node:stream");
const { FULL_DATA, ProtocolError, WINDOW, encodeStop, encodeWindow } = require("./frames.js");

const MAX_TOTAL_CREDIT = 16 << 20; // bytes of credit of all streams of a worker, before new ones get the reduced window
const REDUCED_WINDOW = 16 << 10;
const SMALL = 4 << 10; // bytes: pieces up to this are copied, as each would keep alive all that was read with it

// The rest of a stream is still coming, has come, or will not come.
const COMING = 0;
const COMPLETE = 1;
const CUT = 2;

// Upload is one of them. Nothing of it comes before somebody reads; then it has the credit of a window, which it gets
// back in halves as it is read.
class Upload {
  #id;
  #s;
  #write;
  #budget;
  #window = 0; // bytes; 0: not yet open
  #credit = 0; // bytes that may still come
  #used = 0; // bytes that were read, for which there was no new credit
  #pieces = []; // that have come and wait for the reader
  #wanted = false; // the reader waits
  #state = COMING;

  // readable is what handlers get.
  readable = new Readable({
    highWaterMark: FULL_DATA,
    read: () => {
      this.open();
      this.#wanted = true;
      this.#push();
    },
    destroy: (error, callback) => {
      this.#close();
      callback(error);
    },
  });

  // onDescribed is called with how the form describes a file, { name, contentType }.
  onDescribed = () => {};

  // An upload is stream s of call id. It uses write(line), and budget, { used }: the credit of all streams.
  constructor(id, s, write, budget) {
    this.#id = id;
    this.#s = s;
    this.#write = write;
    this.#budget = budget;
    this.readable.on("error", () => {}); // who does not read does not care
  }

  // complete says whether all of it has come.
  get complete() {
    return this.#state === COMPLETE;
  }

  // open asks for the first bytes.
  open() {
    if (this.#window > 0 || this.#state !== COMING) return;
    this.#window = this.#budget.used > MAX_TOTAL_CREDIT ? REDUCED_WINDOW : WINDOW;
    this.#budget.used += this.#window;
    this.#ask(this.#window);
  }

  receive(piece) {
    if (this.#state !== COMING) return; // sent before the server knew
    this.#credit -= piece.length;
    if (this.#credit < 0) throw new ProtocolError(`more of stream ${this.#s} of call ${this.#id} than was asked for`);
    this.#keep(piece);
    this.#push();
  }

  // end says that there is no more. An error is the text why the rest is missing.
  end(error) {
    if (this.#state !== COMING) return;
    if (error !== undefined) return this.abandon(new Error(error));
    this.#state = COMPLETE;
    this.#push();
  }

  // abandon ends it for the reader, if it has not had all, without a word to the server.
  abandon(error) {
    if (this.#state === COMING) this.#state = CUT;
    this.readable.destroy(error);
  }

  #keep(piece) {
    const last = this.#pieces.length - 1;
    if (this.#wanted || piece.length > SMALL) {
      this.#pieces.push(piece);
    } else if (this.#pieces[last]?.length + piece.length <= SMALL) {
      this.#pieces[last] = Buffer.concat([this.#pieces[last], piece]);
    } else {
      this.#pieces.push(Buffer.from(piece));
    }
  }

  #push() {
    while (this.#wanted && this.#pieces.length > 0) {
      const piece = this.#pieces.shift();
      this.#wanted = this.readable.push(piece);
      this.#returnCredit(piece.length);
    }
    if (this.#wanted && this.#state === COMPLETE) this.readable.push(null);
  }

  #returnCredit(size) {
    this.#used += size;
    const half = this.#window / 2;
    while (this.#used >= half && this.#state === COMING) {
      this.#used -= half;
      this.#ask(half);
    }
  }

  #ask(size) {
    this.#credit += size;
    this.#write(encodeWindow(this.#id, this.#s, size));
  }

  #close() {
    if (this.#state === COMING) {
      this.#state = CUT;
      this.#write(encodeStop(this.#id, this.#s));
    }
    this.#budget.used -= this.#window;
    this.#window = 0;
    this.#pieces = [];
  }
}

module.exports = { Upload };
