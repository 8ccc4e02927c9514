#!/bin/sh
# Checks what can be checked without running anything: style of Lua and C, the layers, and warnings
# of two compilers. Called by `make lint`, which gives the compiler's flags in COMPILE_FLAGS.
set -u
. scripts/results.sh

c_sources=$(find src -name '*.c')
c_files=$(find src spec bench scripts -name '*.[ch]')

# The core may not know Lua, and no layer may know the one above it.
check_layers() {
  ! grep -nE '#include [<"](.*/)?(lua|lauxlib|lualib|luaconf)\.h|#include ".*(binding|codec)/' \
    src/core/*.[ch] && ! grep -n '#include ".*binding/' src/codec/*.[ch]
}

# Each source of the module on its own, two at a time.
run_clang_tidy() {
  # shellcheck disable=SC2016,SC2086 # expanded by the inner shell; a list
  printf '%s\n' $c_sources | xargs -n 1 -P 2 sh -c '
    for last; do :; done
    clang-tidy --quiet "$last" -- $COMPILE_FLAGS 2>/dev/null' clang-tidy
}

# build_with COMPILER: everything, warnings being errors.
build_with() {
  make --no-print-directory CC="$1" CFLAGS="-O2 -g" WERROR=1 \
    BUILD="build/lint-$1" MODULE_DIR="build/lint-$1" build c-tests
}

results_begin lint
check "luacheck" luacheck --quiet .
# shellcheck disable=SC2086 # a list
check "clang-format" clang-format --dry-run -Werror $c_files
check "layers" check_layers
check "clang-tidy" run_clang_tidy
check "gcc without warnings" build_with gcc
check "clang without warnings" build_with clang
results_end
