/* The program of the guard, see guard.h, for any POSIX shell. It uses only what shells have built
 * in, so that it starts no process at the end, when there may be no room for one. */
#ifndef CP_GUARD_SCRIPT_H
#define CP_GUARD_SCRIPT_H

/* Reads lines from descriptor 3: "process ID" or "tree ID" to add to the list of those to end, and
 * "remove ID". The guard itself is the background process.
 *
 * An entry of the list is ID:KIND:START, where START is the time at which the process was started
 * as /proc tells it. If it differs at the end, the number belongs to another process. The leader of
 * a tree may have ended before its group; then nobody else can have its number.
 *
 * A tree is stopped before it is killed, parents first: so nobody starts a process meanwhile, and
 * the list of children of a process that was stopped is complete. This has to wait until the child
 * has another parent than us, which is just after the pipe has ended: at that moment the system
 * sends SIGHUP and SIGCONT to a group with stopped members, which would end the leader before its
 * children are known. The wait has a bound, since the pipe also ends if we execute another
 * program. */
#define CP_GUARD_SCRIPT                                                                            \
  "# child_process-guard\n"                                                                        \
  "set -f\n"                                                                                       \
  "{\n"                                                                                            \
  "trap '' HUP INT QUIT TERM USR1 USR2 ALRM TSTP TTIN TTOU\n"                                      \
  "look() {\n"                                                                                     \
  "  start= parent=\n"                                                                             \
  "  read -r line <\"/proc/$1/stat\" || return 0\n"                                                \
  "  set -- ${line##*\") \"}\n"                                                                    \
  "  start=${20} parent=$2\n"                                                                      \
  "}\n"                                                                                            \
  "drop() {\n"                                                                                     \
  "  case $list in\n"                                                                              \
  "    *\" $1:\"*) rest=${list#*\" $1:\"}; list=\"${list%%\" $1:\"*} ${rest#* }\" ;;\n"            \
  "  esac\n"                                                                                       \
  "}\n"                                                                                            \
  "stop() {\n"                                                                                     \
  "  kill -s STOP \"$1\" || return 0\n"                                                            \
  "  found=\"$found $1\"\n"                                                                        \
  "  set +f\n"                                                                                     \
  "  for file in /proc/\"$1\"/task/*/children; do\n"                                               \
  "    set -f\n"                                                                                   \
  "    children=\n"                                                                                \
  "    read -r children <\"$file\"\n"                                                              \
  "    for child in $children; do stop \"$child\"; done\n"                                         \
  "  done\n"                                                                                       \
  "}\n"                                                                                            \
  "list=' ' found=\n"                                                                              \
  "while read -r kind id; do\n"                                                                    \
  "  case $list in *\" $id:$kind:\"*) continue ;; esac\n"                                          \
  "  drop \"$id\"\n"                                                                               \
  "  [ \"$kind\" = remove ] || { look \"$id\"; list=\"$list$id:$kind:$start \"; }\n"               \
  "done\n"                                                                                         \
  "left=1000\n"                                                                                    \
  "for entry in $list; do\n"                                                                       \
  "  id=${entry%%:*}; before=${entry##*:}\n"                                                       \
  "  look \"$id\"\n"                                                                               \
  "  [ \"$start\" = \"$before\" ] || [ -z \"$start\" ] || [ -z \"$before\" ] || continue\n"        \
  "  while [ \"$parent\" = $PPID ] && [ $left -gt 0 ]; do\n"                                       \
  "    look \"$id\"\n"                                                                             \
  "    left=$((left - 1))\n"                                                                       \
  "  done\n"                                                                                       \
  "  case $entry in\n"                                                                             \
  "    *:tree:*) found=\"$found -$id\"; stop \"$id\" ;;\n"                                         \
  "    *) found=\"$found $id\" ;;\n"                                                               \
  "  esac\n"                                                                                       \
  "done\n"                                                                                         \
  "kill -s KILL -- $found\n"                                                                       \
  "} <&3 3<&- &\n"

#endif
