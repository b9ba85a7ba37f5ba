#!/usr/bin/env bash
# bun 1.4.5 (npm), beside Node.js.
#
# new net.Socket({ fd }) is how Node.js wraps a pipe that a process has inherited: workers
# that talk to their parent over descriptor 3 are written so, as it needs no thread of the
# pool. Bun takes the option without an error and ignores the descriptor: no 'data', no
# 'end' and no 'error' ever comes, whoever writes into the pipe. fs.createReadStream on the
# same descriptor delivers in both.
#
# Seen, with "hello" waiting in a pipe on descriptor 3:
#   node  net.Socket "hello"   fs.createReadStream "hello"
#   bun   net.Socket nothing   fs.createReadStream "hello"
#
# What follows: a worker of Node.js that is started with Bun starts, seems to be well, and
# never hears a call; the parent sees a timeout and nothing else. Read inherited pipes
# with the streams of fs where Bun is to run.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >log
npm install --no-audit --no-fund bun@1.4.5 >>log 2>&1 || { cat log; exit 2; }

cat >child.cjs <<'JS'
const fs = require("fs");
const net = require("net");

const stream = process.argv[2] === "net" ? new net.Socket({ fd: 3 }) : fs.createReadStream(null, { fd: 3 });
const say = (text) => {
  fs.writeSync(1, text);
  process.exit(0);
};
stream.on("data", (data) => say(String(data)));
stream.on("error", (error) => say(`error: ${error.message}`));
stream.on("end", () => say("end"));
setTimeout(() => say("nothing"), 2000);
JS

cat >finding.py <<'PY'
import os
import subprocess
import sys

expected = {("node", "net"): "hello", ("node", "fs"): "hello", ("bun", "net"): "nothing", ("bun", "fs"): "hello"}
changed = False
for (runtime, kind), want in expected.items():
    program = "node_modules/.bin/bun" if runtime == "bun" else "node"
    reader, writer = os.pipe()
    os.write(writer, b"hello")
    # The shell moves the pipe to descriptor 3, wherever it is here.
    command = ["sh", "-c", f'exec "$@" 3<&{reader}', "sh", program, "child.cjs", kind]
    run = subprocess.run(command, pass_fds=[reader], capture_output=True, text=True, timeout=30)
    os.close(reader)
    os.close(writer)
    print(runtime, kind, repr(run.stdout), run.stderr)
    changed = changed or run.stdout != want
if changed:
    print("CHANGED: the output above is no longer the one in the script's header")
    sys.exit(1)
print("As described: Bun's net.Socket never reads from an inherited pipe.")
PY
timeout 120 python3 finding.py
