#!/bin/sh
# Runs the demo, and all tests as a user without rights, on a Debian that has just been installed:
# without Node, luv, Perl's modules and whatever else this machine has. Before that, tries there
# what `make install` has installed here. Called by `make test-bare`.
#
# Such a root is made by debootstrap, with the suite and the source of packages that apt uses here.
# Where that cannot be had (it needs root, and a network) the tests run here with Node hidden.
set -u
. scripts/results.sh
. scripts/root.sh
. scripts/staged.sh
unset MAKEFLAGS # its job slots are not passed on to here

root=$PWD/build/bare/root
hidden=$PWD/build/bare/bin

test_in_root() {
  root_run "$root" "make demo" || fail "make demo on a bare root"
  root_run "$root" "make setup-test && useradd --create-home tester && chown -R tester . &&
    exec su tester -c 'make test'"
  status=$?
  # The record is empty, or does not exist, where it did not come to the tests.
  cat "$root/checkout/build/results/test.tap" >>"$results" 2>/dev/null
  [ "$status" -eq 0 ] || [ "$(count_failed "$results")" -gt 0 ] || fail "make test on a bare root"
}

# hide_node: sets PATH to a folder of links to all programs but Node.
hide_node() {
  rm -rf "$hidden"
  mkdir -p "$hidden"
  old_ifs=$IFS
  IFS=:
  for folder in $PATH; do
    for program in "$folder"/*; do
      name=${program##*/}
      case $name in node | nodejs) continue ;; esac
      [ ! -f "$program" ] || [ -e "$hidden/$name" ] || ln -s "$program" "$hidden/$name"
    done
  done
  IFS=$old_ifs
  PATH=$hidden
}

if root_possible && root_make "$root" "$(root_suite)"; then
  results_begin test-bare
  cp -a "$root" "$root.staged"
  stage_try "$root.staged"
  rm -rf "$root.staged"
  root_copy_checkout "$root"
  test_in_root
  rm -rf "$root"
  results_end
else
  echo "no bare root can be had here: Node is hidden instead"
  scripts/setup.sh test && make --no-print-directory checked || exit
  hide_node
  scripts/test.sh test-bare "$LUA"
fi
