#!/bin/sh
# Prints, in one line, what a system is made of. Run on the system itself.
libc=$(ldd --version 2>&1 | sed -n '1s/.* //p')
gcc=$(gcc -dumpfullversion)
lua=$(lua5.4 -v | cut -d ' ' -f 2)
echo "gcc $gcc, glibc $libc, libuv $(pkg-config --modversion libuv), Lua $lua, Linux $(uname -r | sed 's/-.*//')"
