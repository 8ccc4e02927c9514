/* Finds out why a program could not be executed: the meaning of EACCES, and of ENOENT for a file
 * that exists. */
#ifndef CP_SPAWN_OBSTACLE_H
#define CP_SPAWN_OBSTACLE_H

#include "core/process/spawn_options.h"

#include <stddef.h>

typedef enum cp_spawn_obstacle {
  CP_OBSTACLE_NONE,       /* the errno is clear enough, or nothing more was found */
  CP_OBSTACLE_DIRECTORY,  /* the path names a directory */
  CP_OBSTACLE_MODE,       /* nobody may execute the file at the path */
  CP_OBSTACLE_INTERPRETER /* the path names an interpreter or loader that cannot be executed */
} cp_spawn_obstacle;

/* Call it after CP_STEP_EXECUTE has failed with this error. Examines the file with our own rights,
 * not those of options->uid. Stores the path of the obstacle, truncated if it does not fit. */
cp_spawn_obstacle cp_spawn_find_obstacle(const cp_spawn_options *options, int error, char *path,
                                         size_t size);

#endif
