/* The options of a start as Lua gives them: a table with the fields file, args (with argv[0]), env
 * ("KEY=value", nil to inherit), cwd, detached, uid, gid, and stdio: for each of the child's descriptors
 * from 0 on one of ours, IGNORE or NEW_PIPE. */
#ifndef CP_BINDING_START_H
#define CP_BINDING_START_H

#include "../core/spawn.h"

#include <lua.h>

/* What most children need: arguments with the end, and descriptors. */
enum { CP_START_STRINGS = 8, CP_START_DESCRIPTORS = 4 };

/* The options as C sees them. The strings belong to the options table. */
typedef struct cp_start {
  cp_spawn_options options;
  int *fds;  /* those of the options; for cp_pipe_open_each */
  int *ours; /* as many, for the same */
  bool has_pipes;
  char *usual_strings[CP_START_STRINGS];
  int usual_descriptors[2 * CP_START_DESCRIPTORS];
  bool usual_blocking[CP_START_DESCRIPTORS];
} cp_start;

/* Reads the table at `index`, or raises. Where there is more than usual, the lists are userdata that are
 * left on the stack, so that an error leaks nothing: they live until the calling function returns. */
void cp_start_read(lua_State *L, int index, cp_start *start);

/* Adds IGNORE and NEW_PIPE to the table on top of the stack. */
void cp_start_constants(lua_State *L);

#endif
