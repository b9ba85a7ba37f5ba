"use strict";

// What the Node.js servers have in common with each other and with serve.go: they say where they listen, and end with
// their standard input.

exports.token = "secret";

exports.ready = (server) => {
  console.log(JSON.stringify({ addr: `127.0.0.1:${server.address().port}` }));
  process.stdin.on("end", () => process.exit(0)).resume();
};

exports.fail = (error) => {
  console.error(error);
  process.exit(1);
};
