#!/usr/bin/env bash
# deno 2.9.6 (npm), beside Node.js.
#
# Deno's node:fs knows descriptors only that it has opened itself. A pipe that the process
# has inherited does not exist for it: fs.readSync(3), fs.fstatSync(3) and
# fs.createReadStream(null, { fd: 3 }) all fail with "bad file descriptor" (code EBADF),
# though the pipe is open and in order: new net.Socket({ fd: 3 }) delivers from it, and
# fs.statSync("/dev/fd/3") says that it is a FIFO. In Node.js all five work. No permission
# is missing: --allow-all changes nothing.
#
# What follows: a worker that reads its parent's pipe with node:fs gets an error under Deno
# that says the parent has not passed the pipe on, and sends one to look in the wrong
# process. Read inherited pipes with net.Socket where Deno is to run, and check them by way
# of /dev/fd.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >log
npm install --no-audit --no-fund deno@2.9.6 >>log 2>&1 || { cat log; exit 2; }

cat >child.cjs <<'JS'
const fs = require("node:fs");
const net = require("node:net");

const isPipe = (status) => (status.isFIFO() ? "pipe" : "no pipe");
const first = (stream) =>
  new Promise((resolve, reject) => stream.once("data", (data) => resolve(String(data))).once("error", reject));
const ways = {
  fstatSync: () => isPipe(fs.fstatSync(3)),
  statSync: () => isPipe(fs.statSync("/dev/fd/3")),
  readSync: () => {
    const buffer = Buffer.alloc(5);
    return String(buffer.subarray(0, fs.readSync(3, buffer)));
  },
  createReadStream: () => first(fs.createReadStream(null, { fd: 3 })),
  Socket: () => first(new net.Socket({ fd: 3, readable: true, writable: false })),
};
const say = (text) => {
  fs.writeSync(1, text);
  process.exit(0);
};
setTimeout(() => say("nothing"), 10_000);
process.on("uncaughtException", (error) => say(error.code ?? error.message));
(async () => ways[process.argv[2]]())().then(say, (error) => say(error.code ?? error.message));
JS

cat >finding.py <<'PY'
import os
import subprocess
import sys

deno = ["node_modules/.bin/deno", "run", "--allow-all", "--quiet"]
ways = {"fstatSync": "pipe", "statSync": "pipe", "readSync": "hello", "createReadStream": "hello", "Socket": "hello"}
lost = {"fstatSync", "readSync", "createReadStream"}
changed = False
for name, program in (("node", ["node"]), ("deno", deno)):
    for way, want in ways.items():
        if name == "deno" and way in lost:
            want = "EBADF"
        reader, writer = os.pipe()
        os.write(writer, b"hello")
        os.close(writer)  # so that no read waits
        # The shell moves the pipe to descriptor 3, wherever it is here.
        command = ["sh", "-c", f'exec "$@" 3<&{reader}', "sh", *program, "child.cjs", way]
        run = subprocess.run(command, pass_fds=[reader], capture_output=True, text=True, timeout=30)
        os.close(reader)
        print(f"{name} {way}: {run.stdout}", run.stderr[:300])
        changed = changed or run.stdout != want
if changed:
    print("CHANGED: the output above is no longer the one in the script's header")
    sys.exit(1)
print("As described: Deno's node:fs does not know an inherited pipe.")
PY
timeout 300 python3 finding.py
