#!/bin/sh
# Counts what the works of the budgets take, and compares: see bench/budgets/run.lua.
#
#   scripts/budgets.sh COUNTER
#
# In the environment: RENEW, to write the budgets; CC and CFLAGS, what the module is built with. The
# budgets hold for the tools that they name, so nothing is counted with others.
set -u
. scripts/results.sh

# What kind of compiler it is, which its program's name does not say, and its version.
compiler() {
  echo '__clang__ __GNUC__ __clang_major__' | $CC -E -P - | {
    read -r clang gcc clang_version
    if [ "$clang" = 1 ]; then echo "clang $clang_version"; else echo "gcc $gcc"; fi
  }
}

lua_version=$("$LUA" -v 2>&1 | cut -d ' ' -f 1,2)
tools="$(compiler) $CFLAGS, $(getconf GNU_LIBC_VERSION), $lua_version, $(valgrind --version), $(uname -m)"
taken=$(sed -n 's/^# Counted with //p' bench/budgets/budgets.txt)
if [ -z "${RENEW:-}" ] && [ "$tools" != "$taken" ]; then
  echo "bench-budgets: skipped, the budgets are for $taken; here is $tools"
  exit 0
fi

CHILD_PROCESS_INTERPRETER=$(readlink -f "$(command -v "$LUA")")
export CHILD_PROCESS_INTERPRETER
mkdir -p build/budgets
results_begin bench-budgets
"$LUA" bench/budgets/run.lua "$1" "$results" "$tools" || fail "counting"
results_end
