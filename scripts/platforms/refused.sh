# shellcheck shell=sh
# This system, with a filter that refuses what old container runtimes do not know: pidfd_open,
# clone3 and close_range.
#
#   scripts/platforms/refused.sh refused-enosys|refused-eperm
#
# With EPERM, the C library of Debian 12 can make no thread if clone3 is refused. Runtimes that
# answer that way make an exception of it, and so does the filter.
set -u
. scripts/platforms/common.sh

case $name in
  refused-enosys) error=ENOSYS ;;
  refused-eperm) error=EPERM ;;
  *)
    echo "$0: unknown platform: $name" >&2
    exit 2
    ;;
esac

platform_begin
${CC:-cc} -O2 -o "$place/refuse" scripts/platforms/refuse.c || platform_skip "it does not compile"
"$place/refuse" "$error" ENOSYS true || platform_skip "there are no filters here"
logged "$place/refuse" "$error" ENOSYS scripts/test.sh "platform-$name" "$LUA"
platform_end "$(. scripts/platforms/versions.sh)"
