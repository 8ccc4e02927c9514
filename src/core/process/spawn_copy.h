/* Starts a program in a child that has a copy of our memory, and reports a failure by a pipe. */
#ifndef CP_SPAWN_COPY_H
#define CP_SPAWN_COPY_H

#include "core/process/spawn_plan.h"

/* Runs cp_spawn_child(plan) in such a child. Returns when the child has executed the program or has
 * reported a failure, which is then in plan->failure. Stores the process id and, if `with_pidfd`, a
 * pidfd. A negative errno means that there is no child.
 *
 * Does not wait for a stopped child, and treats its start as successful: it looks the same as a
 * child that was stopped right after it executed the program. If it is continued and fails, it ends
 * with code 127. */
int cp_spawn_copy(bool with_pidfd, cp_spawn_plan *plan, pid_t *pid, int *pidfd);

#endif
