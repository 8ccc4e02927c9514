#!/bin/sh
# Runs all tests in a network of their own, with the loopback device alone and without IPv6. Called
# by `make test-offline` with the interpreter. Skips, and says so, where such a network cannot be had.
set -u

# in_network COMMAND...: fails where that cannot be had.
in_network() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  unshare -n sh -c '
    ip link set lo up || exit
    for file in /proc/sys/net/ipv6/conf/*/disable_ipv6; do
      [ ! -e "$file" ] || echo 1 >"$file" || exit
    done
    exec "$@"
  ' sh "$@"
}

if ! problem=$(in_network true 2>&1); then
  echo "test-offline: skipped, there can be no network of its own here: $problem"
  exit
fi
in_network scripts/test.sh test-offline "$1"
