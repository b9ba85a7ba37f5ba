#!/usr/bin/env bash
# Node.js 24.21.0 (npm package node).
#
# Who catches the SyntaxError of a rejected import() of an ES module cannot find out where
# it is: neither message nor stack nor util.inspect names the file or the line, and the
# error has no other property. The stack shows Node's own loader alone. Node.js does know:
# it prints file, line and a caret if nobody catches the error. Of a CommonJS module, by
# require and by import() alike, the stack begins with file and line.
#
# Seen, of a module whose second line is "export const b = (;":
#   caught     SyntaxError: Unexpected token ';'
#                  at compileSourceTextModule (node:internal/modules/esm/utils:...)
#   uncaught   file:///.../bad.mjs:2
#   CommonJS   /.../bad.cjs:2
#
# What follows: programs that load users' modules and report what went wrong (workers that
# send their error to a parent, test runners, servers with plugins) report a syntax error
# without a place, and if the error is in a module that the module imports, not even its
# name. Let the error go uncaught and pass on what Node.js prints, or run node --check.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >log
npm install --no-audit --no-fund node@24.21.0 >>log 2>&1 || { cat log; exit 2; }
node=node_modules/.bin/node
"$node" --version

printf 'export const a = 1;\nexport const b = (;\n' >bad.mjs
printf 'exports.a = 1;\nexports.b = (;\n' >bad.cjs
cat >caught.mjs <<'JS'
import { inspect } from "node:util";

const load = (name) => import(name).catch((error) => error);
const place = (text, name) => text.includes(`${name}:2`);
const esm = await load("./bad.mjs");
const cjs = await load("./bad.cjs");
console.log(esm.stack);
console.log(Object.getOwnPropertyNames(esm));
const told = [place(esm.stack + esm.message + inspect(esm, { showHidden: true }), "bad.mjs"), place(cjs.stack, "bad.cjs")];
console.log(`caught: place of the ES module ${told[0]}, of the CommonJS module ${told[1]}`);
process.exitCode = !(esm instanceof SyntaxError) || told[0] || !told[1] ? 1 : 0;
JS
printf 'await import("./bad.mjs");\n' >uncaught.mjs

changed=0
timeout 30 "$node" caught.mjs || changed=1
timeout 30 "$node" uncaught.mjs 2>uncaught.txt && changed=1
if grep -q 'bad.mjs:2$' uncaught.txt; then
  echo "uncaught: $(head -n 1 uncaught.txt | sed 's|file:.*/|file:///.../|')"
else
  changed=1
fi
if ((changed)); then
  echo "CHANGED: the errors above are no longer those in the script's header"
  exit 1
fi
echo "As described: who catches the error of import() does not learn where it is."
