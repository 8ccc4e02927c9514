# shellcheck shell=sh
# Sourced by the scripts that run something on a system of its own: a root of Debian that
# debootstrap makes, with the source of packages that apt uses here.

has() { command -v "$1" >/dev/null 2>&1; }

# root_suite: the name of this Debian.
root_suite() {
  # shellcheck source=/dev/null
  (. /etc/os-release && echo "${VERSION_CODENAME:-}")
}

# root_source: where apt gets the packages of this Debian, and those of others.
root_source() {
  apt-get indextargets --format "\$(CODENAME) \$(SITE)" 'Created-By: Packages' 2>/dev/null \
    | sed -n "s/^$(root_suite) //p" | head -n 1
}

# root_possible: whether roots can be made here. That needs root, a network, and Debian.
root_possible() {
  [ "$(id -u)" -eq 0 ] && has apt-get && unshare -m true 2>/dev/null || return
  has debootstrap || scripts/setup.sh bare || return
  [ -n "$(root_suite)" ] && [ -n "$(root_source)" ]
}

# root_make ROOT SUITE [OPTION...]: makes a root in a folder, which is emptied before, with the
# options of debootstrap. What that prints goes to ROOT.log.
root_make() {
  folder=$1
  release=$2
  shift 2
  rm -rf "$folder"
  mkdir -p "$folder"
  echo "making a root of $release"
  debootstrap --variant=minbase --include=make "$@" "$release" "$folder" "$(root_source)" \
    >"$folder.log" 2>&1 || {
    tail -n 5 "$folder.log"
    rm -rf "$folder"
    return 1
  }
  # settings that apt has here, a proxy for instance, are needed there, too
  apt-config dump --format '%f "%v";%n' Acquire >"$folder/etc/apt/apt.conf.d/99acquire"
  cp -L /etc/resolv.conf /etc/hosts "$folder/etc/"
}

# root_copy_checkout ROOT: what git knows of, or would, as it is now, into /checkout.
root_copy_checkout() {
  rm -rf "$1/checkout"
  mkdir "$1/checkout"
  git ls-files -z --cached --others --exclude-standard \
    | tar --null --files-from=- --ignore-failed-read -cf - | tar -xf - -C "$1/checkout"
}

# root_run ROOT COMMAND: run by a shell in the checkout of the root, with an environment of its own.
# (Where PATH has a folder that one may not enter, a program that does not exist is EACCES and not
# ENOENT.)
root_run() {
  # shellcheck disable=SC2016 # expanded by the inner shells
  unshare -m sh -c '
    mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" || exit
    exec chroot "$0" env -i HOME=/root LANG=C.UTF-8 PATH="$2" sh -c "cd /checkout && $1"
  ' "$1" "$2" /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
}
