#!/bin/sh
# Compiles Lua, libuv and the module lfs with musl, from Debian's source packages. Run as root on
# the Debian 12 itself; everything goes to the folder /musl.
set -eu

CFLAGS="-O2 -fPIC -I/musl/include -idirafter /musl/kernel"
LIBS="-L/musl/lib -Wl,-rpath,/musl/lib"

apt-get -qq install -y --no-install-recommends musl-tools dpkg-dev libtool automake
rm -rf /musl
mkdir -p /musl/include /musl/lib /musl/bin /musl/kernel /musl/modules
# The kernel's headers, without the C library's that lie beside them.
ln -sf /usr/include/linux /usr/include/asm-generic "/usr/include/$(gcc -dumpmachine)/asm" /musl/kernel/

cd /musl
echo "deb-src $(sed -n 's/^deb //p' /etc/apt/sources.list | head -n 1)" >/etc/apt/sources.list.d/src.list
apt-get -qq update
apt-get -qq source lua5.4 libuv1 lua-filesystem

cd /musl/lua5.4-*/src
rm luac.c
echo '#define DEB_HOST_MULTIARCH "musl"' >lua5.4-deb-multiarch.h
cp lua.h luaconf.h lualib.h lauxlib.h lua5.4-deb-multiarch.h /musl/include
mv lua.c ..
# shellcheck disable=SC2086
musl-gcc $CFLAGS -DLUA_USE_LINUX -shared ./*.c -o /musl/lib/liblua5.4.so -lm
# shellcheck disable=SC2086
musl-gcc $CFLAGS -DLUA_USE_LINUX -I. ../lua.c -o /musl/bin/lua5.4 $LIBS -llua5.4

cd /musl/libuv1-*
{
  ./autogen.sh
  ./configure CC=musl-gcc CFLAGS="$CFLAGS" --prefix=/musl --disable-static
  make install
} >/musl/libuv.log 2>&1 || {
  tail -n 20 /musl/libuv.log
  exit 1
}

# describe NAME VERSION: for pkg-config.
describe() {
  cat >"/musl/lib/pkgconfig/$1.pc" <<END
Name: $1
Description: compiled with musl
Version: $2
Cflags: -I/musl/include
Libs: $LIBS -l${1#lib}
END
}
describe lua5.4 "$(dpkg-query -W -f '${Version}' liblua5.4-dev | cut -d - -f 1)"
describe libuv "$(dpkg-query -W -f '${Version}' libuv1-dev | cut -d - -f 1)"

cd /musl/lua-filesystem-*/src
# shellcheck disable=SC2086
musl-gcc $CFLAGS -shared lfs.c -o /musl/modules/lfs.so
