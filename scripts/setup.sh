#!/bin/sh
# Installs what is missing of the programs and libraries that a target needs.
#
#   scripts/setup.sh [lint] [valgrind] [luv] [fuzz]
#
# What building, the demo and the tests need is always looked after; a word adds what that part
# needs. On Debian and its descendants the packages come from apt-get, with sudo for other users
# than root. Elsewhere what is missing is named, and nothing is done. When all is there, this only
# looks and is fast.
set -eu

CC=${CC:-cc}
LUA=${LUA:-lua5.4}
PKG_CONFIG=${PKG_CONFIG:-pkg-config}

has() { command -v "$1" >/dev/null 2>&1; }

# Whether the C compiler finds the standard headers, which are a package of their own.
has_libc() { echo '#include <stdlib.h>' | $CC -E - >/dev/null 2>&1; }

has_lua() { [ "$("$LUA" -e 'print(_VERSION)' 2>/dev/null)" = "Lua 5.4" ]; }

has_lua_headers() {
  [ -n "${LUA_INCDIR:-}" ] && return
  for name in lua5.4 lua-5.4 lua54 lua; do
    "$PKG_CONFIG" --exists "$name >= 5.4 $name < 5.5" 2>/dev/null && return
  done
  return 1
}

has_uv() { [ -n "${UV_LIBS:-}" ] || "$PKG_CONFIG" --exists libuv 2>/dev/null; }

# Whether the interpreter that runs the tests finds a Lua module (found is enough, nothing is run).
has_module() {
  "$LUA" -e 'for _, p in ipairs { package.path, package.cpath } do
      if package.searchpath(arg[1], p) then os.exit(true) end
    end
    os.exit(false)' /dev/null "$1" >/dev/null 2>&1
}

# Whether clang can make a program for libFuzzer.
has_fuzzer() {
  echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' \
    | clang -fsanitize=fuzzer,address -x c - -o /dev/null >/dev/null 2>&1
}

# need PACKAGE COMMAND...: the package is missing when the command fails.
need() {
  package=$1
  shift
  "$@" || missing="$missing $package"
}

look() {
  missing=
  need gcc has "${CC%% *}"
  need libc6-dev has_libc
  need make has make
  need pkg-config has "$PKG_CONFIG"
  need lua5.4 has_lua
  need liblua5.4-dev has_lua_headers
  need libuv1-dev has_uv
  need lua-busted has_module busted.runner
  need luarocks has luarocks
  need procps has ps
  need git has git
  for part in "$@"; do
    case $part in
      lint)
        need lua-check has luacheck
        need gcc has gcc
        need clang has clang
        need clang-format has clang-format
        need clang-tidy has clang-tidy
        ;;
      valgrind) need valgrind has valgrind ;;
      luv) need lua-luv has_module luv ;;
      fuzz)
        need clang has clang
        need libclang-rt-dev has_fuzzer
        ;;
      *)
        echo "$0: unknown part: $part" >&2
        exit 2
        ;;
    esac
  done
}

give_up() {
  echo "missing (by the names of Debian's packages):$missing" >&2
  echo "$1" >&2
  exit 1
}

look "$@"
[ -n "$missing" ] || exit 0

has apt-get || give_up "please install them with this system's package manager"
as_root=
if [ "$(id -u)" -ne 0 ]; then
  has sudo || give_up "please install them as root: apt-get install$missing"
  as_root=sudo
fi

echo "installing:$missing"
# shellcheck disable=SC2086 # both are lists of words
{
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null
  $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install -y --no-install-recommends $missing </dev/null >/dev/null
}

look "$@"
[ -z "$missing" ] || give_up "still missing after the packages were installed"
