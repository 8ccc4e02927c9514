# shellcheck shell=sh
# Sourced by test_bare.sh: installs the module as packages do, into a folder that stands for the
# root, for Lua 5.4 and LuaJIT side by side, and tries what came of it on a system that has only
# what such a package depends on.

stage=$PWD/build/bare/stage
libraries=/usr/lib/$("${CC:-cc}" -print-multiarch)

# stage_make TARGET LUA: the target for one Lua, in the folders of Debian.
stage_make() {
  version=$("$2" -e 'print(_VERSION:match("%d.%d"))')
  make --no-print-directory "$1" LUA="$2" BUILD="build/bare/$2" DESTDIR="$stage" PREFIX=/usr \
    LIBDIR="$libraries/lua/$version" PKGCONFIGDIR="$libraries/pkgconfig"
}

stage_install() {
  rm -rf "$stage"
  for name in lua5.4 luajit; do
    make --no-print-directory setup LUA="$name" && stage_make install "$name" || return
  done
}

# stage_unpack ROOT: what was installed, and examples, into a root that gets the libraries and
# interpreters that it needs. There must be no compiler in it.
stage_unpack() {
  mkdir "$1/checkout"
  cp -R examples "$1/checkout"
  tar -C "$stage" -cf - . | tar -xf - -C "$1"
  # shellcheck disable=SC2016 # expanded by the shell in the root
  root_run "$1" 'apt-get -qq update && apt-get -qq install -y --no-install-recommends \
    lua5.4 luajit libuv1 >/dev/null && [ -z "$(command -v cc gcc clang)" ]'
}

# stage_uninstall: removes it again. Nothing may be left.
stage_uninstall() {
  stage_make uninstall lua5.4 && stage_make uninstall luajit \
    && [ -z "$(find "$stage" ! -type d)" ]
}

# stage_try ROOT: records what works. The root is changed.
stage_try() {
  check "make install into DESTDIR, for two Luas" stage_install
  check "what was installed is unpacked on a bare root without a compiler" stage_unpack "$1"
  for name in lua5.4 luajit; do
    check "$name: an example runs there" root_run "$1" "$name examples/pipeline.lua /usr/share/lua"
    check "$name: an example with two scripts runs there" \
      root_run "$1" "$name examples/send.lua | grep 'PARENT got message'"
  done
  check "make uninstall leaves nothing" stage_uninstall
}
