/* Runs a program to its end.
 *
 * The calling thread waits; no loop runs and no callback is called meanwhile. */
#ifndef CP_SYNC_H
#define CP_SYNC_H

#include "core/process/spawn.h"
#include "core/process/sync_options.h"

/* Runs a program. Returns when it has ended and no process, descendants included, holds the other
 * end of a pipe any more, or when that takes longer than wait_delay. When a limit is exceeded,
 * closes our ends at once and waits only for the program itself, and with force_kill_after for the
 * end of its tree. `outputs` has an empty buffer for each descriptor, which receives the bytes of
 * its pipe; the caller frees them. Returns a negative errno and fills `failure` if the program
 * could not be started. */
int cp_sync_run(cp_spawner *spawner, const cp_sync_options *options, cp_sync_output *outputs,
                cp_sync_result *result, cp_spawn_failure *failure);

#endif
