#!/bin/sh
# Installs what is missing of the programs and libraries that a target needs.
#
#   scripts/setup.sh [test] [rock] [bare] [lint] [valgrind] [luv] [loops] [hosts] [cluster] [fuzz]
#
# What building and the demo need is always looked after; a word adds what that part needs. On
# Debian and its descendants the packages come from apt-get, with sudo for other users than root.
# Elsewhere what is missing is named, and nothing is done. When all is there, this only looks and is
# fast.
set -eu

CC=${CC:-cc}
LUA=${LUA:-lua5.4}
ABI=${ABI:-5.4}
PKG_CONFIG=${PKG_CONFIG:-pkg-config}

has() { command -v "$1" >/dev/null 2>&1; }

# Whether the C compiler finds the standard headers, which are a package of their own.
has_libc() { echo '#include <stdlib.h>' | $CC -E - >/dev/null 2>&1; }

has_lua_headers() { [ -n "${LUA_INCDIR:-}" ] || scripts/lua_package.sh "$ABI" >/dev/null 2>&1; }

has_uv() { [ -n "${UV_LIBS:-}" ] || "$PKG_CONFIG" --exists libuv 2>/dev/null; }

# Whether the interpreter that runs the tests finds a Lua module (found is enough, nothing is run).
has_module() {
  module=$1 "$LUA" -e 'for place in (package.path .. ";" .. package.cpath):gmatch("[^;]+") do
      if io.open((place:gsub("%?", (os.getenv("module"):gsub("%.", "/"))))) then os.exit(0) end
    end
    os.exit(1)' >/dev/null 2>&1
}

has_library() { ldconfig -p | grep -q "$1"; }

# Packages of servers start them. This forbids it until the script ends.
forbid_services() {
  policy=/usr/sbin/policy-rc.d
  [ ! -e "$policy" ] || return 0
  trap '$as_root rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod +x "$policy"
}

# Whether clang can make a program for libFuzzer.
has_fuzzer() {
  echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' \
    | clang -fsanitize=fuzzer,address -x c - -o /dev/null >/dev/null 2>&1
}

case $ABI in
  luajit) lua_package=luajit headers_package=libluajit-5.1-dev ;;
  5.1) lua_package=lua5.1 headers_package=liblua5.1-0-dev ;;
  *) lua_package=lua$ABI headers_package=liblua$ABI-dev ;;
esac

# need PACKAGE COMMAND...: the package is missing when the command fails.
need() {
  package=$1
  shift
  "$@" || missing="$missing $package"
}

look() {
  missing=
  need gcc has "${CC%% *}"
  need libc6-dev has_libc
  need make has make
  need pkg-config has "$PKG_CONFIG"
  need "$lua_package" has "$LUA"
  need "$headers_package" has_lua_headers
  need libuv1-dev has_uv
  for part in "$@"; do
    case $part in
      test)
        need lua-busted has_module busted.runner
        need procps has ps
        need git has git
        ;;
      bare)
        need debootstrap has debootstrap
        need git has git
        ;;
      rock)
        need luarocks has luarocks
        need git has git
        ;;
      lint)
        need lua-check has luacheck
        need gcc has gcc
        need clang has clang
        need clang-format has clang-format
        need clang-tidy has clang-tidy
        ;;
      valgrind) need valgrind has valgrind ;;
      luv) need lua-luv has_module luv ;;
      loops) # Debian has the last two for 5.1, but the specs use them in every version
        need lua-cqueues has_module cqueues
        need lua-socket has_module socket
        need lua-copas test -e /usr/share/lua/5.1/copas.lua
        need lua-http test -e /usr/share/lua/5.1/http/server.lua
        ;;
      hosts)
        need luarocks has luarocks
        need lua5.1 has lua5.1
        need liblua5.1-0-dev "$PKG_CONFIG" --exists lua5.1
        need prosody has prosody
        need lighttpd has lighttpd
        need lighttpd-modules-lua test -e /usr/lib/lighttpd/mod_magnet.so
        need neovim has nvim
        need libpcre3 has_library libpcre.so.3 # of nginx, see scripts/nginx.sh
        ;;
      cluster)
        need openssh-client has ssh
        need openssh-server test -e /usr/sbin/sshd
        need iproute2 test -e /usr/sbin/ip -o -e /sbin/ip
        need sudo has sudo
        need munge test -e /usr/sbin/munged
        need slurmctld test -e /usr/sbin/slurmctld
        need slurmd test -e /usr/sbin/slurmd
        need slurm-client has srun
        ;;
      fuzz)
        need clang has clang
        need libclang-rt-dev has_fuzzer
        ;;
      *)
        echo "$0: unknown part: $part" >&2
        exit 2
        ;;
    esac
  done
}

give_up() {
  echo "missing (by the names of Debian's packages):$missing" >&2
  echo "$1" >&2
  exit 1
}

look "$@"
[ -n "$missing" ] || exit 0

has apt-get || give_up "please install them with this system's package manager"
as_root=
if [ "$(id -u)" -ne 0 ]; then
  has sudo || give_up "please install them as root: apt-get install$missing"
  as_root=sudo
fi

echo "installing:$missing"
case $* in *hosts* | *cluster*) forbid_services ;; esac
# shellcheck disable=SC2086 # both are lists of words
{
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null
  $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing </dev/null >/dev/null
}

look "$@"
[ -z "$missing" ] || give_up "still missing after the packages were installed"
