#!/bin/sh
# Checks what can be checked without running anything: style of Lua and C, which files know each
# other, and warnings of two compilers. Called by `make lint`, which gives the interpreter in LUA
# and the compiler's flags in COMPILE_FLAGS.
set -u
. scripts/results.sh

c_sources=$(find src -name '*.c')
c_files=$(find include src spec bench scripts examples -name '*.[ch]')

# Each source of the module on its own, two at a time. The assertions are on: the analyzer then
# knows what holds.
run_clang_tidy() {
  # shellcheck disable=SC2016,SC2086 # expanded by the inner shell; a list
  printf '%s\n' $c_sources | xargs -n 1 -P 2 sh -c '
    for last; do :; done
    clang-tidy --quiet "$last" -- -DCP_ASSERTIONS $COMPILE_FLAGS 2>/dev/null' clang-tidy
}

# build_with COMPILER SYS: everything, warnings being errors.
build_with() {
  make --no-print-directory CC="$1" SYS="$2" CFLAGS="-O2 -g" WERROR=1 \
    BUILD="build/lint-$1-$2" MODULE_DIR="build/lint-$1-$2" build c-tests
}

results_begin lint
check "luacheck" luacheck --quiet lua types spec bench scripts examples
# shellcheck disable=SC2086 # a list
check "clang-format" clang-format --dry-run -Werror $c_files
check "lengths, comments on top, braces" \
  "$LUA" scripts/lint/shape.lua include src lua types spec bench scripts examples
check "includes and requires" "$LUA" scripts/lint/arrows.lua
check "clang-tidy" run_clang_tidy
for compiler in gcc clang; do
  check "$compiler without warnings" build_with $compiler linux
  check "$compiler without warnings, as for other systems" build_with $compiler posix
done
if scripts/macos.sh get; then
  check "compiles for macOS" scripts/macos.sh
else
  echo "compiles for macOS: skipped, npm has not brought a cross compiler"
  pass "compiles for macOS # SKIP"
fi
results_end
