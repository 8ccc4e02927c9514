/* Starts the guard, see guard.h. */
#ifndef CP_GUARD_START_H
#define CP_GUARD_START_H

#include "core/process/spawner.h"

/* Starts the guard unless it runs. Returns 0 or a negative errno. */
int cp_guard_start(cp_spawner *spawner);

#endif
