/* The program of the guard, see guard.h, for any POSIX shell. It uses only what shells have built
 * in, so that it starts no process at the end, when there may be no room for one. */
#ifndef CP_GUARD_SCRIPT_H
#define CP_GUARD_SCRIPT_H

/* Waits for a line on descriptor 3, which says that this guard is in use, and then for the end of
 * that pipe. Then it reads the lines of descriptor 4, which guard_table.c describes. The guard
 * itself is the background process.
 *
 * A process that was started after its line was written is another one with the same number, as
 * /proc tells. The leader of a tree may have ended before its group; then nobody else can have its
 * number.
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
  "read -r line || exit\n"                                                                         \
  "read -r line\n"                                                                                 \
  "found= left=1000\n"                                                                             \
  "while read -r kind id time sign; do\n"                                                          \
  "  case $kind in p|t) ;; *) continue ;; esac\n"                                                  \
  "  [ \"$sign\" = ! ] || time=\n"                                                                 \
  "  look \"$id\"\n"                                                                               \
  "  [ -z \"$start\" ] || [ \"$start\" -le \"${time:-$start}\" ] || continue\n"                    \
  "  while [ \"$parent\" = $PPID ] && [ $left -gt 0 ]; do\n"                                       \
  "    look \"$id\"\n"                                                                             \
  "    left=$((left - 1))\n"                                                                       \
  "  done\n"                                                                                       \
  "  case $kind in\n"                                                                              \
  "    t) found=\"$found -$id\"; stop \"$id\" ;;\n"                                                \
  "    *) found=\"$found $id\" ;;\n"                                                               \
  "  esac\n"                                                                                       \
  "done <&4\n"                                                                                     \
  "kill -s KILL -- $found\n"                                                                       \
  "} <&3 3<&- &\n"

#endif
