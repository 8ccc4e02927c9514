# shellcheck shell=sh
# Sourced by the scripts that check something. Every check leaves one line in
# build/results/NAME.tap ("ok - what", "not ok - what", "ok - what # SKIP"), so that passes and
# failures can be counted over many runs, also when a run breaks off in the middle.

# results_begin NAME: starts an empty record.
results_begin() {
  results=build/results/$1.tap
  mkdir -p build/results
  : >"$results"
  printf '\n== %s ==\n' "$1"
}

# pass WHAT, fail WHAT: record one result.
pass() {
  printf 'ok - %s\n' "$1" >>"$results"
}

fail() {
  printf 'not ok - %s\n' "$1" >>"$results"
  printf 'FAILED: %s\n' "$1"
}

# check WHAT COMMAND...: records whether the command succeeded.
check() {
  what=$1
  shift
  if "$@"; then pass "$what"; else fail "$what"; fi
}

# count_passed FILE..., count_failed FILE..., count_skipped FILE...: over all these records.
count_passed() { cat "$@" | grep '^ok ' | grep -vc ' # SKIP$'; }
count_failed() { cat "$@" | grep -c '^not ok '; }
count_skipped() { cat "$@" | grep '^ok ' | grep -c ' # SKIP$'; }

# results_end: prints the sum. Fails when something failed or nothing was checked.
results_end() {
  passed=$(count_passed "$results")
  failed=$(count_failed "$results")
  skipped=$(count_skipped "$results")
  name=$(basename "$results" .tap)
  printf '%s: %d passed, %d failed, %d skipped\n' "$name" "$passed" "$failed" "$skipped"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
