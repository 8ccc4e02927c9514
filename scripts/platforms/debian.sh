# shellcheck shell=sh
# A release of Debian, for this processor or another one, in a root.
#
#   scripts/platforms/debian.sh NAME
set -u
. scripts/platforms/common.sh

# What is not needed, but lets more tests run, where the release has it.
extras="lua-luv lua-cqueues iproute2 locales luarocks nodejs luajit libluajit-5.1-dev"
extras="$extras lua5.1 liblua5.1-dev lua5.3 liblua5.3-dev lua5.5 liblua5.5-dev"
compilers=
suite=bookworm
options=
spec=spec

# emulate PROCESSOR: has the kernel run the processor's programs by qemu, until this script ends.
emulate() {
  formats=$place/formats
  entry=qemu-$1
  has "qemu-$1-static" || DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install -y --no-install-recommends qemu-user-static >/dev/null 2>&1
  mkdir -p "$formats"
  mount -t binfmt_misc binfmt_misc "$formats" || platform_skip "the kernel runs no foreign programs"
  trap 'umount "$formats"' EXIT
  trap 'exit 1' HUP INT TERM
  [ ! -e "$formats/$entry" ] || return 0
  cat "/usr/lib/binfmt.d/$entry.conf" >"$formats/register" || platform_skip "qemu cannot be had"
  trap 'echo -1 >"$formats/$entry"; umount "$formats"' EXIT
}

platform_begin
case $name in
  i386) options=--arch=i386 ;;
  arm64)
    options=--arch=arm64
    # A part of the tests, since each takes many times as long as on this system.
    spec="spec/spawn spec/sync spec/stream spec/channel spec/codec"
    emulate aarch64
    ;;
  debian12) compilers=clang ;;
  debian13)
    suite=trixie
    compilers="gcc-13 clang"
    ;;
  unstable)
    suite=sid
    compilers="gcc-13 gcc-14 gcc-15 clang"
    ;;
  *)
    echo "$0: unknown platform: $name" >&2
    exit 2
    ;;
esac

# compile_with COMPILER: everything, warnings being errors.
compile_with() {
  install "$1"
  logged root_run "$root" "make -s CC=$1 LUA=lua5.4 WERROR=1 BUILD=build/$1 MODULE_DIR=build/$1 build c-tests"
}

# shellcheck disable=SC2086 # lists
platform_root "$suite" $options
# shellcheck disable=SC2086
install $extras
logged root_run "$root" "make test LUA=lua5.4 WERROR=1 SPEC='$spec'"
take_results "$root/checkout/build/results/test.tap"
for compiler in $compilers; do
  check "$compiler without warnings" compile_with "$compiler"
done
platform_end "$(root_run "$root" scripts/platforms/versions.sh)"
