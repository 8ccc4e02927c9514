# shellcheck shell=sh
# Sourced by the scripts of the platforms, which get the platform's name as their only argument and
# leave their results in build/results/platform-NAME.tap.
. scripts/results.sh
. scripts/root.sh

name=$1
place=$PWD/build/platforms/$name
root=$place/root
log=$place/log

# platform_begin: starts the record and a log of what the tests print.
platform_begin() {
  mkdir -p "$place"
  : >"$log"
  results_begin "platform-$name"
}

# platform_skip REASON: this platform cannot be had here.
platform_skip() {
  echo "platform-$name: skipped, $1"
  pass "the platform # SKIP"
  exit 0
}

# platform_root SUITE [OPTION...]: a root with a fresh copy of the checkout. It is made once.
platform_root() {
  root_possible || platform_skip "roots cannot be made here"
  if [ ! -e "$root/made" ]; then
    root_make "$root" "$@" || platform_skip "debootstrap makes no root of it"
    touch "$root/made"
  fi
  root_copy_checkout "$root"
}

# logged COMMAND...: shows what it prints, and adds it to the log.
logged() {
  { "$@" 2>&1 || echo $? >"$place/status"; } | tee -a "$log"
  [ ! -e "$place/status" ] && return
  rm "$place/status"
  return 1
}

# install PACKAGE...: into the root, those that its release has.
install() {
  root_run "$root" "apt-get -qq update &&
    for name in $*; do
      ! apt-cache show \$name >/dev/null 2>&1 || there=\"\${there:-} \$name\"
    done &&
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \$there" \
    >>"$log" 2>&1
}

# take_results RECORD: of a run elsewhere. One that broke off has failed as a whole.
take_results() {
  cat "$1" >>"$results" 2>/dev/null || fail "the tests as a whole"
}

# platform_end ABOUT: sums up, and writes the row of the table.
platform_end() {
  reasons=$(sed -n 's/^\([0-9]*\) skipped: \(.*\)$/\1: \2/p' "$log" | paste -sd ';' | sed 's/;/; /g')
  printf '| %s | %s | %d | %d | %d | %s |\n' "$name" "$1" "$(count_passed "$results")" \
    "$(count_failed "$results")" "$(count_skipped "$results")" "$reasons" | tee "$place.row"
  results_end
}
