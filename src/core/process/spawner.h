/* Makes the processes of children.
 *
 * The child shares our memory until it executes the program, as with vfork(2), so the cost of a
 * start does not depend on our size. It replaces our descriptor table by a copy of the few entries
 * that it needs, so the cost does not depend on the number of open descriptors. Both have a
 * fallback for systems that cannot do it: a copy of our memory, as fork(2) makes it, with a pipe
 * that reports the error; and a walk over the open descriptors.
 *
 * A child that changes its user or group always gets a copy of our memory, see spawn_child.h.
 *
 * uv_spawn has none of that: it forks, needs a handler of SIGCHLD, and lets the child inherit all
 * descriptors that are not close-on-exec. */
#ifndef CP_SPAWNER_H
#define CP_SPAWNER_H

#include "core/process/spawn_plan.h"

#include <stdbool.h>
#include <sys/types.h>

/* What all starts share. */
typedef struct cp_spawner cp_spawner;

/* Returns 0 or a negative errno. */
int cp_spawner_new(cp_spawner **out);
/* Accepts NULL, returns NULL. */
cp_spawner *cp_spawner_destroy(cp_spawner *spawner);

/* Frees the reserved descriptors for a caller that has run out (EMFILE, ENFILE), and returns
 * whether it did. Call cp_spawner_take_back afterwards; otherwise the next start takes them
 * back. */
bool cp_spawner_lend(cp_spawner *spawner);
void cp_spawner_take_back(cp_spawner *spawner);

/* Whether to watch children through pidfds. */
bool cp_spawner_has_pidfd(const cp_spawner *spawner);

/* Makes a plan for a program whose pipes are open. Returns 0, or a negative errno and leaves
 * nothing to free. */
int cp_spawner_plan(cp_spawner *spawner, cp_spawn_plan *plan, const cp_spawn_options *options);

/* Makes the child of a plan. On success stores its process id, and a pidfd, or -1 if the system has
 * none. On failure returns a negative errno, and the plan has the step that failed. */
int cp_spawner_start(cp_spawner *spawner, cp_spawn_plan *plan, pid_t *pid, int *pidfd);

#endif
