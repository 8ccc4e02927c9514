/* What to start, as arguments.lua gives it: a table with the fields file, args (with argv[0]), env
 * ("KEY=value", nil to inherit), cwd, detached, uid, gid, and stdio: for each of the child's descriptors
 * from 0 on one of ours, IGNORE, NEW_PIPE, or for one of them NEW_CHANNEL. */
#ifndef CP_BINDING_SPAWN_ARGUMENTS_H
#define CP_BINDING_SPAWN_ARGUMENTS_H

#include "../core/spawn.h"

#include <lua.h>

/* What most children need, arguments with the end and descriptors, takes no memory of its own. */
enum { CP_INLINE_STRINGS = 8, CP_INLINE_DESCRIPTORS = 4 };

/* The same as C sees it. The strings belong to the table. */
typedef struct cp_spawn_arguments {
  cp_spawn_options options;
  int *fds;  /* those of the options; for cp_pipe_open_each */
  int *ours; /* as many, for the same */
  bool has_pipes;
  int channel; /* which one is a message channel, or -1 */
  char *inline_strings[CP_INLINE_STRINGS];
  int inline_descriptors[2 * CP_INLINE_DESCRIPTORS];
  bool inline_blocking[CP_INLINE_DESCRIPTORS];
} cp_spawn_arguments;

/* Reads the table at `index`, or raises. Lists that do not fit in here are userdata that are left on the
 * stack, so that an error leaks nothing: they live until the calling function returns. */
void cp_spawn_arguments_read(lua_State *L, int index, cp_spawn_arguments *arguments);

/* Adds IGNORE, NEW_PIPE and NEW_CHANNEL to the table on top of the stack. */
void cp_spawn_arguments_constants(lua_State *L);

#endif
