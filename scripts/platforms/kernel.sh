# shellcheck shell=sh
# The kernel of Debian 12 with its system, in a machine that qemu emulates in software. The tests
# are built in a root of Debian 12, which the machine then has in its memory.
#
#   scripts/platforms/kernel.sh NAME
set -u
. scripts/platforms/common.sh

LIMIT=7200 # seconds that the machine may run
MEMORY=4096 # MiB

# A part of the tests, since each takes many times as long as on this system.
SPEC="spec/spawn spec/sync spec/stream"

# get_programs: the emulator, and what packs files for the kernel.
get_programs() {
  { has qemu-system-x86_64 && has cpio; } || DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install -y --no-install-recommends qemu-system-x86 cpio >>"$log" 2>&1
}

# get_kernel: the kernel alone, without its modules.
get_kernel() {
  root_run "$root" "apt-get -qq update && cd /tmp &&
    apt-get -qq download \$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: //p') &&
    dpkg-deb --fsys-tarfile linux-image-*.deb | tar -xO --wildcards './boot/vmlinuz-*' >/kernel" \
    >>"$log" 2>&1 && mv "$root/kernel" "$place/kernel" && rm "$root"/tmp/linux-image-*
}

# pack_root: all files but those that no test reads, in the kernel's format.
pack_root() {
  cp "$root/checkout/scripts/platforms/kernel_init.sh" "$root/init"
  echo "$SPEC" >"$root/spec"
  (cd "$root" && find . -path ./var/cache/apt -prune -o -path ./var/lib/apt -prune \
    -o -path ./usr/share/doc -prune -o -path ./usr/share/locale -prune -o -print \
    | cpio --quiet -o -H newc) >"$place/files"
}

run_machine() {
  timeout "$LIMIT" qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m "$MEMORY" -nographic \
    -no-reboot -kernel "$place/kernel" -initrd "$place/files" -append "console=ttyS0 quiet panic=-1" \
    -serial mon:stdio -serial "file:$place/kernel.tap" -serial "file:$place/about" </dev/null
}

get_programs || platform_skip "qemu cannot be had"
platform_begin
platform_root bookworm
[ -s "$place/kernel" ] || get_kernel || platform_skip "the kernel cannot be had"
install iproute2 lua-luv
logged root_run "$root" "scripts/setup.sh test && make -s checked LUA=lua5.4" || fail "the build"
pack_root
logged run_machine
take_results "$place/kernel.tap"
platform_end "$(cat "$place/about")"
