/* The guard: a process that ends children of ours when we have ended, in whatever way.
 *
 * It is a shell that waits for the end of a pipe. When we end, even by SIGKILL, the pipe ends with
 * us, and the guard reads from a table which processes to end (guard_table.h), and sends them
 * SIGKILL. There is one guard for the whole program, started with the first child that needs it. If
 * somebody kills the guard, the next such child gets a new one, which has the same table. In a
 * forked process there is none at first: its end does not concern the children of the original.
 *
 * The guard is no child of ours but a grandchild, whose parent has ended: a host that waits for all
 * of its children would wait for the guard forever. It has a session of its own, and none of our
 * descriptors besides the pipe.
 *
 * Here is what the program knows of the guard. guard_start.c starts it. */
#ifndef CP_GUARD_H
#define CP_GUARD_H

#include "core/process/guard_list.h"
#include "core/process/spawn_options.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What it ends of a child with these options. */
cp_guard_kind cp_guard_kind_for(const cp_spawn_options *options);

/* Whether the guard runs. */
bool cp_guard_runs(void);

/* Opens the table, if it is closed. Returns its descriptor or a negative errno. */
int cp_guard_open_table(void);

/* The shell to start, whose descriptors 3 and 4 are these: `list` is the table's. It makes the
 * guard, which is its child, and ends with 0. `stdio` has room for CP_GUARD_STDIO entries. */
enum { CP_GUARD_STDIO = 5 };
cp_spawn_options cp_guard_shell(cp_stdio *stdio, int pipe, int list);

/* Takes over the pipe to a new guard, and tells the guard that it is in use. If another thread was
 * faster, and a guard runs already, closes the pipe; the new guard sees its end, and exits.
 * Returns 0 or a negative errno. */
int cp_guard_take(int fd);

/* The place of a child in the list, and its line in the table. */
typedef struct cp_guard_place {
  size_t number;
  char *line;
} cp_guard_place;

/* Reserves a place for one child: call cp_guard_add or cp_guard_cancel afterwards. The child writes
 * its line itself, before it executes its program. Stores the descriptor of the pipe, which the
 * child is to keep until then, so that there is no moment in which nobody would end it. Returns 0
 * or a negative errno. */
int cp_guard_reserve(int *fd, cp_guard_place *place);

/* Adds a child that was started. */
void cp_guard_add(const cp_guard_place *place, cp_guard_kind kind, pid_t pid);

/* For a child that could not be started. */
void cp_guard_cancel(const cp_guard_place *place);

/* The child was reaped. If it led a group, the guard still ends the members that are left; groups
 * without members are dropped when another child starts or ends. These functions do nothing for
 * other children than those of the guard. */
void cp_guard_child_ended(pid_t pid);

/* For orphans.c, whose threads know only the pidfd: it belongs to this child until
 * cp_guard_orphan_ended is called with it. */
void cp_guard_child_released(pid_t pid, int pidfd);
void cp_guard_orphan_ended(int pidfd);

#endif
