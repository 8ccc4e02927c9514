#!/bin/sh
# Feeds programs for libFuzzer with arbitrary bytes, each for FUZZ_SECONDS (20). Called by
# `make fuzz`.
# What they learn about their input stays in build/fuzz/corpus, so that the next run goes on from
# there; an input that makes one fail is left in build/fuzz.
set -u
. scripts/results.sh

# fuzz_with PROGRAM: the log is shown only if it fails.
fuzz_with() {
  name=$(basename "$1" _fuzz)
  log=build/fuzz/$name.log
  corpus=build/fuzz/corpus/$name
  mkdir -p "$corpus"
  "$1" -max_total_time="${FUZZ_SECONDS:-20}" -timeout=20 -max_len=8192 -print_final_stats=1 \
    -dict="spec/fuzz/$name.dict" -artifact_prefix="build/fuzz/$name-" "$corpus" 2>"$log" || {
    tail -n 60 "$log"
    return 1
  }
  sed -n 's/^stat::number_of_executed_units: */inputs: /p' "$log"
}

results_begin fuzz
for program in "$@"; do
  check "fuzz: $(basename "$program")" fuzz_with "$program"
done
results_end
