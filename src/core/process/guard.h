/* The guard: a process that ends children of ours when we have ended, in whatever way.
 *
 * It is a shell that reads from a pipe which processes to end. When we end, even by SIGKILL, the
 * pipe ends with us, and the guard sends SIGKILL to the processes that are left. There is one guard
 * for the whole program, started with the first child that needs it. If somebody kills the guard,
 * the next such child gets a new one. In a forked process there is none at first: its end does not
 * concern the children of the original.
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
#include <sys/types.h>

/* What it ends of a child with these options. */
cp_guard_kind cp_guard_kind_for(const cp_spawn_options *options);

/* Whether the guard runs. */
bool cp_guard_runs(void);

/* The shell to start, whose descriptor 3 is `fd`. It makes the guard, which is its child, and ends
 * with 0. `stdio` has room for CP_GUARD_STDIO entries. */
enum { CP_GUARD_STDIO = 4 };
cp_spawn_options cp_guard_shell(cp_stdio *stdio, int fd);

/* Takes over the pipe to a new guard, and sends it all that the one before has known. Closes the
 * pipe if another thread was faster, and the guard already runs. */
void cp_guard_take(int fd);

/* Reserves a place for one child: call cp_guard_add or cp_guard_cancel afterwards. Stores the
 * descriptor of the pipe. Returns 0 or a negative errno. */
int cp_guard_reserve(int *fd);

/* In a starting child, before it executes its program: tells the guard to end this process. It is
 * safe where cp_spawn_child is. The pipe does not end before the child has executed its program, so
 * there is no moment in which nobody would end the child. Returns 0 or a negative errno. */
int cp_guard_add_self(int fd, cp_guard_kind kind);

/* Adds a child that was started. */
void cp_guard_add(cp_guard_kind kind, pid_t pid);

/* For a child that could not be started. The id may be -1. */
void cp_guard_cancel(pid_t pid);

/* The child was reaped. If it led a group, the guard still ends the members that are left; groups
 * without members are dropped when another child starts or ends. These functions do nothing for
 * other children than those of the guard. */
void cp_guard_child_ended(pid_t pid);

/* For orphans.c, whose threads know only the pidfd: it belongs to this child until
 * cp_guard_orphan_ended is called with it. */
void cp_guard_child_released(pid_t pid, int pidfd);
void cp_guard_orphan_ended(int pidfd);

#endif
