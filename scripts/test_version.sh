#!/bin/sh
# Runs the C tests and the whole spec with one Lua, which is installed first.
#
#   scripts/test_version.sh 5.1|5.3|5.4|5.5|luajit
#
# A Lua for which this Debian has no package comes from Debian unstable, in a root of its own. Where
# that cannot be had, nothing is run, and that is no failure.
set -u
. scripts/results.sh
. scripts/root.sh
unset MAKEFLAGS # its job slots are not passed on to the root

abi=$1
case $abi in
  luajit) lua=luajit headers=libluajit-5.1-dev ;;
  5.1) lua=lua5.1 headers=liblua5.1-0-dev ;;
  *) lua=lua$abi headers=liblua$abi-dev ;;
esac
root=$PWD/build/unstable

has_package() { has apt-cache && apt-cache show "$lua" >/dev/null 2>&1; }

# The record is empty, or does not exist, where it did not come to the tests.
test_in_root() {
  root_run "$root" "make setup-test LUA=$lua && useradd --create-home tester &&
    chown -R tester . && exec su tester -c 'make test LUA=$lua RECORD=test-$abi'"
  status=$?
  cat "$root/checkout/build/results/test-$abi.tap" >>"$results" 2>/dev/null
  [ "$status" -eq 0 ] || [ "$(count_failed "$results")" -gt 0 ] || fail "make test LUA=$lua"
}

if has "$lua" || has_package; then
  exec make --no-print-directory test LUA="$lua" RECORD="test-$abi"
elif root_possible && root_make "$root" sid; then
  results_begin "test-$abi"
  root_copy_checkout "$root"
  test_in_root
  rm -rf "$root"
  results_end
else
  echo "test-$abi: skipped, there is no $lua here and no package of it, and only root can make a root"
  echo "of Debian unstable, on Debian and with a network. Install $lua and $headers to run the tests."
fi
