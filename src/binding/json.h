/* JSON for Lua. */
#ifndef CP_BINDING_JSON_H
#define CP_BINDING_JSON_H

#include <lua.h>

/* Pushes a table with the functions that lua/child_process/json.lua describes. */
int cp_open_json(lua_State *L);

#endif
