#!/bin/sh
# Lets every system call and every allocation of some flows fail once: see spec/faults/host.c.
#
#   scripts/faults.sh HOST MODULE
#
# In the environment: FAULTS_STRIDE, to take only one point in that many (1); FAULTS, the flow, the
# kind and the point to be run alone; CHILD_PROCESS_LUA, the interpreter of forked children.
set -u
. scripts/results.sh

CHILD_PROCESS_INTERPRETER=$(command -v "$CHILD_PROCESS_LUA")
CHILD_PROCESS_INTERPRETER=$(readlink -f "$CHILD_PROCESS_INTERPRETER")
export CHILD_PROCESS_INTERPRETER

results_begin test-faults
# shellcheck disable=SC2086 # a list
"$1" -s "${FAULTS_STRIDE:-1}" "$2" spec/faults/flows.lua "$results" ${FAULTS:-} | tee build/faults
results_end
status=$?
printf 'test-faults: %s\n' "$(tail -n 1 build/faults)"
exit "$status"
