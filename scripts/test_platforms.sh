#!/bin/sh
# Runs the spec on other systems than this one: other processors, C libraries, releases of Debian,
# kernels. Called by `make test-platforms`.
#
#   scripts/test_platforms.sh [PLATFORM...]   default: all, the fastest first
#
# Each has a script under scripts/platforms/, which sources common.sh. A platform that cannot be had
# here is skipped, with the reason. What is made for them is kept in build/platforms, and used again
# the next time. A row for the table in doc/platforms.md goes to build/platforms/NAME.row.
set -u
. scripts/results.sh
unset MAKEFLAGS # its job slots are not passed on to here

[ $# -gt 0 ] \
  || set -- refused-enosys refused-eperm i386 debian12 debian13 unstable musl kernel-6.1 arm64

script_of() {
  case $1 in
    refused-*) echo refused ;;
    kernel-*) echo kernel ;;
    musl) echo musl ;;
    *) echo debian ;;
  esac
}

# run_platform NAME: adds its results to those of all. A script that ends without any has failed.
run_platform() {
  record=build/results/platform-$1.tap
  rm -f "$record"
  nice -n 10 sh "scripts/platforms/$(script_of "$1").sh" "$1" </dev/null
  if [ -s "$record" ]; then
    sed "s/^\(not ok\|ok\) - /\1 - $1: /" "$record" >>"$results"
  else
    fail "$1: the platform as a whole"
  fi
}

results_begin test-platforms
for name; do
  run_platform "$name"
done
results_end
[ "$(count_failed "$results")" -eq 0 ]
