#!/bin/sh
# The first process of the machine that kernel.sh starts: runs the tests that were built here,
# writes their record to the second serial port and the versions of everything to the third, and
# switches the machine off.
export HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
ip link set lo up
cd /checkout || exit
make test LUA=lua5.4 RECORD=kernel SPEC="$(cat /spec)"
stty -F /dev/ttyS1 raw
cat build/results/kernel.tap >/dev/ttyS1
scripts/platforms/versions.sh >/dev/ttyS2
echo o >/proc/sysrq-trigger
sleep 60
