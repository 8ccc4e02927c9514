# shellcheck shell=sh
# Musl instead of glibc: the interpreter, libuv, the module and the C tests are compiled with it, in
# a root of Debian 12. The programs that the tests start are Debian's.
#
#   scripts/platforms/musl.sh NAME
#
# Musl uses none of the calls that old container runtimes refuse, so here, unlike with glibc, all of
# them can be refused with EPERM: some tests run once more in that way.
set -u
. scripts/platforms/common.sh

# Busted is Debian's; its modules in C are not there for musl.
busted="./?.lua;/checkout/scripts/platforms/busted/?.lua;/usr/share/lua/5.4/?.lua;/usr/share/lua/5.4/?/init.lua"
settings="CC='musl-gcc -idirafter /musl/kernel' PKG_CONFIG_LIBDIR=/musl/lib/pkgconfig"
settings="$settings LUA=/musl/bin/lua5.4 LUA_PATH='$busted' LUA_CPATH=/musl/modules/?.so"

platform_begin
platform_root bookworm
if [ ! -e "$root/musl/made" ]; then
  logged root_run "$root" "scripts/setup.sh test && scripts/platforms/musl_build.sh" \
    || platform_skip "musl's Lua or libuv cannot be made"
  touch "$root/musl/made"
fi
logged root_run "$root" "$settings make test WERROR=1"
take_results "$root/checkout/build/results/test.tap"
logged root_run "$root" "cc -O2 -o /musl/refuse scripts/platforms/refuse.c &&
  $settings make test WERROR=1 SPEC='spec/spawn spec/sync' RECORD=refused \
    WRAPPER='/musl/refuse EPERM EPERM'"
take_results "$root/checkout/build/results/refused.tap"
musl=$(dpkg-query --root="$root" -W -f '${Version}' musl)
platform_end "musl ${musl%-*}, $(root_run "$root" scripts/platforms/versions.sh)"
