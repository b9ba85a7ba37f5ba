#!/usr/bin/env bash
# @bluelibs/runner 5.5.0 (npm), under Node.js (seen with 20 and 24).
#
# The package has an "import" condition for Node.js, but its file (dist/node/node.mjs) cannot
# be imported by an ES module: CommonJS packages are bundled into it whose require of Node's
# own modules works only where a global require happens to exist. It does in node -e, in a
# program on the standard input and in the REPL, so that a quick try says that all is well;
# it does not in any module of an application.
#
# Seen:
#   import "@bluelibs/runner" in app.mjs   Error: Dynamic require of "events" is not supported
#   import("@bluelibs/runner") in node -e  works
#   require("@bluelibs/runner")            works
#
# What follows: an application that is an ES module on its own does not start, the same one
# loaded from a program with a global require does, and what works behind one program fails
# behind another. Use createRequire(import.meta.url)("@bluelibs/runner").
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >log
npm install --no-audit --no-fund @bluelibs/runner@5.5.0 >>log 2>&1 || { cat log; exit 2; }

cat >app.mjs <<'JS'
import { r } from "@bluelibs/runner";
console.log(typeof r.task);
JS
cat >created.mjs <<'JS'
import { createRequire } from "node:module";
const { r } = createRequire(import.meta.url)("@bluelibs/runner");
console.log(typeof r.task);
JS

changed=0
expect() { # name, what its output has, command
  local name=$1 want=$2 got
  shift 2
  got=$(timeout 60 "$@" 2>&1 | grep -E '^(Error:|function$)' || true)
  printf '%-24s %s\n' "$name" "$got"
  [[ $got == "$want" ]] || changed=1
}
node --version
expect "import in a module" 'Error: Dynamic require of "events" is not supported' node app.mjs
expect "import() in node -e" function node -e 'import("@bluelibs/runner").then(({ r }) => console.log(typeof r.task))'
expect "createRequire" function node created.mjs
if ((changed)); then
  echo "CHANGED: the output above is no longer the one in the script's header"
  exit 1
fi
echo "As described: the ES build does not load in an ES module."
