#!/bin/sh
# Unpacks Debian's nginx and its module for Lua into build/hosts/nginx, from which the specs start
# it, and installs nothing: as packages its LuaJIT and Debian's other one exclude each other.
set -eu

folder=build/hosts/nginx
packages='nginx libnginx-mod-http-lua libnginx-mod-http-ndk lua-resty-core lua-resty-lrucache
  libluajit2-5.1-2'

[ ! -e "$folder/usr/sbin/nginx" ] || exit 0
command -v apt-get >/dev/null || { echo "nginx is tried with Debian's packages alone" >&2; exit 1; }
mkdir -p "$folder/packages"
cd "$folder/packages"
# shellcheck disable=SC2086 # a list
apt-get -qq -o APT::Sandbox::User=root download $packages
for package in *.deb; do
  dpkg -x "$package" ../unpacked
done
mv ../unpacked/* ..
rmdir ../unpacked
