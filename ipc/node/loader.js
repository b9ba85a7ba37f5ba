// The end of the program that ipc.Node in Go makes of lib/*.js: before it stands `const files = { "./x.js": function
// (module, exports, require) { … }, … };`. This is require for them. What NODE_OPTIONS or a file of variables says about
// standard input decides whether the program is a CommonJS module or an ES one: it is both.
/* global files */

import("node:module").then(({ createRequire }) => {
  const builtin = createRequire(`${process.cwd()}/`);
  const loaded = {};

  function load(name) {
    if (!(name in files)) return builtin(name);
    if (!(name in loaded)) {
      const module = (loaded[name] = { exports: {} });
      files[name](module, module.exports, load);
    }
    return loaded[name].exports;
  }

  load("./main.js");
});
