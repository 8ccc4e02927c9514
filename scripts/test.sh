#!/bin/sh
# Runs the C tests and the whole busted spec in one mode.
#
#   scripts/test.sh MODE INTERPRETER [WRAPPER...]
#
# MODE names the record in build/results; WRAPPER is a command to run everything under. In the
# environment: C_TESTS, the C test programs; BUSTED, a Lua script that starts busted; SPEC, the
# folders or files of the spec; ONE_BY_ONE, if set, runs each file in a process of its own; REPORTS,
# if set, a folder where a tool leaves what it finds, in whichever process.
set -u
. scripts/results.sh

mode=$1
lua=$2
shift 2

# Whether a tool has reported an error. Shows the reports, and makes room for the next. Warnings do
# not count: the address sanitizer warns of the stack of its own that a starting child runs on.
reported() {
  [ -n "${REPORTS:-}" ] && grep -rqE 'ERROR: |fatal error|ThreadSanitizer: ' "$REPORTS" || return 1
  cat "$REPORTS"/*
  rm -f "$REPORTS"/*
}

# run_c_test COMMAND...: one C test.
run_c_test() {
  status=0
  "$@" || status=$?
  ! reported && [ "$status" -eq 0 ]
}

export CHILD_PROCESS_SPEC_MODE="$mode"
results_begin "$mode"
if [ -n "${REPORTS:-}" ]; then
  rm -rf "$REPORTS"
  mkdir -p "$REPORTS"
fi

for program in $C_TESTS; do
  check "C: $(basename "$program")" run_c_test "$@" "$program"
done

# run_spec SPEC WRAPPER...: one run of busted. It ends with 1 when a test has failed, and each of
# those is on record. Every other status means that the run broke off, or that the tool around it
# has something to say.
run_spec() {
  spec=$1
  failed=$(count_failed "$results")
  shift
  status=0
  # shellcheck disable=SC2086 # a list
  "$@" "$lua" "$BUSTED" --output=scripts/busted_results.lua -Xoutput "$results" $spec || status=$?
  if [ "$status" -eq 1 ] && [ "$(count_failed "$results")" -gt "$failed" ]; then status=0; fi
  if reported || [ "$status" -ne 0 ]; then
    printf 'status %d; the last test that began: ' "$status"
    sed -n 's/^# //p' "$results" | tail -n 1
    fail "the run of $spec as a whole"
  fi
}

if [ -n "${ONE_BY_ONE:-}" ]; then
  # shellcheck disable=SC2086 # SPEC is a list
  for file in $(find $SPEC -name '*_spec.lua' | sort); do
    run_spec "$file" "$@"
  done
else
  run_spec "$SPEC" "$@"
fi

results_end
