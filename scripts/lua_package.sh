#!/bin/sh
# Prints the name under which pkg-config knows the headers of a Lua.
#
#   scripts/lua_package.sh 5.1|5.3|5.4|5.5|luajit
set -eu

abi=$1
if [ "$abi" = luajit ]; then
  "${PKG_CONFIG:-pkg-config}" --exists luajit && echo luajit
  exit
fi
next=${abi%.*}.$((${abi#*.} + 1))
for name in "lua$abi" "lua-$abi" "lua$(echo "$abi" | tr -d .)" lua; do
  if "${PKG_CONFIG:-pkg-config}" --exists "$name >= $abi" "$name < $next"; then
    echo "$name"
    exit
  fi
done
exit 1
