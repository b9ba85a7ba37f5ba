// The end of the program that ipc.Node in Go makes of lib/*.js: before it stands `const files = { "./x.js": function
// (module, exports, require) { … }, … };`. This is require for them.
/* global files */

const loaded = {};

function load(name) {
  if (!(name in files)) return require(name);
  if (!(name in loaded)) {
    const module = (loaded[name] = { exports: {} });
    files[name](module, module.exports, load);
  }
  return loaded[name].exports;
}

load("./main.js");
