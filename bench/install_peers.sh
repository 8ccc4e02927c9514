#!/bin/sh
# Installs the peers that packages have, for `make bench`: those of npm into the folder build/peers,
# and luv from Debian's packages. What cannot be had is named, and the others are installed.
set -u

cd "$(dirname "$0")/.." || exit 1
folder=build/peers

scripts/setup.sh luv || echo "bench-peers: missing: luv"

if ! command -v npm >/dev/null; then
  echo "bench-peers: there is no npm, so these are missing: bun deno node execa zx piscina"
  exit 0
fi

# These three put their program in place with a script, which npm 11 runs only if it is told to.
mkdir -p "$folder"
echo '{"private": true, "allowScripts": {"bun": true, "deno": true, "node": true}}' \
  >"$folder/package.json"

# One by one: npm installs all or nothing.
missing=
for package in bun deno node execa zx piscina; do
  echo "  NPM $package"
  npm install --prefix "$folder" --no-audit --no-fund --loglevel=error --fetch-retries=1 \
    --fetch-retry-mintimeout=1000 "$package" </dev/null 2>&1 >/dev/null | sed -n 1p
  [ -d "$folder/node_modules/$package" ] || missing="$missing $package"
done
[ -z "$missing" ] || echo "bench-peers: missing:$missing"
