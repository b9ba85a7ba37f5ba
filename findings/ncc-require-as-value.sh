#!/usr/bin/env bash
# @vercel/ncc 0.45.0 (npm), with a package that another bundler has made before: for example
# @bluelibs/runner 5.5.0, under Node.js.
#
# esbuild leaves a helper in CommonJS files for a require that it cannot see at build time:
# typeof require !== "undefined" ? require : …. ncc takes the word require in it, a value and no
# call, for a context without any file, and replaces it by a function that throws for every
# name, Node's own modules included. It says nothing, and the bundle ends at its first line
# that gets there.
#
# Seen:
#   node app.js          function
#   ncc build app.js     no warning
#   node out/index.js    Error: Cannot find module 'events'
#   ncc build app.js -e @bluelibs/runner, and node out/index.js beside node_modules   function
#
# What follows: try a bundle where there are no node_modules before it is deployed, and leave
# packages that are bundles themselves outside.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >log
npm install --no-audit --no-fund @bluelibs/runner@5.5.0 @vercel/ncc@0.45.0 >>log 2>&1 || { cat log; exit 2; }
echo 'console.log(typeof require("@bluelibs/runner").run);' >app.js

changed=0
expect() { # name, what its output has, command
  local name=$1 want=$2 got
  shift 2
  got=$(timeout 60 "$@" 2>&1 | grep -E '^(Error:|function$)' || true)
  printf '%-24s %s\n' "$name" "$got"
  [[ $got == "$want" ]] || changed=1
}
expect "node app.js" function node app.js
timeout 300 npx ncc build app.js -o inside >log 2>&1
grep -i warning log && changed=1
mv inside/index.js index.js # node_modules would not help
expect "with Runner inside" "Error: Cannot find module 'events'" node index.js
timeout 300 npx ncc build app.js -e @bluelibs/runner -o outside >log 2>&1
expect "with Runner outside" function node outside/index.js
if ((changed)); then
  echo "CHANGED: the output above is no longer the one in the script's header"
  exit 1
fi
echo "As described: ncc breaks a require that is a value."
