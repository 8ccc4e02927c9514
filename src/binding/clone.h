/* Structured clone for Lua. */
#ifndef CP_BINDING_CLONE_H
#define CP_BINDING_CLONE_H

#include <lua.h>

/* Pushes a table with the functions that lua/child_process/clone.lua describes. */
int cp_open_clone(lua_State *L);

#endif
