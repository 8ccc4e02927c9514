/* Starts a program, and the guard if it needs that. */
#ifndef CP_SPAWN_H
#define CP_SPAWN_H

#include "core/process/spawner.h"

#include <sys/types.h>

/* Opens the pipes and the terminal of the options. On failure returns a negative errno, and stores
 * it in `failure` with the step that failed; what was opened so far stays open. */
int cp_spawn_open_ends(const cp_spawn_options *options, cp_spawn_failure *failure);

/* Starts a program, and passes signals of our terminal on to it if it is the leader of a tree: see
 * terminal_signals.h, whose cp_terminal_signals_remove the caller calls. On success stores its
 * process id, and a pidfd, or -1 if the system has none. On failure returns a negative errno,
 * stores it in `failure` with the step that failed, and leaves nothing behind. The child's signal
 * mask is empty, and its signals have their default disposition; ignored real-time signals stay
 * ignored. */
int cp_spawn(cp_spawner *spawner, const cp_spawn_options *options, pid_t *pid, int *pidfd,
             cp_spawn_failure *failure);

#endif
