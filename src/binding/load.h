/* Loading the Lua files of this project. */
#ifndef CP_BINDING_LOAD_H
#define CP_BINDING_LOAD_H

#include <lua.h>

/* Adds loadFile to the table on top of the stack. */
void cp_load_functions(lua_State *L);

#endif
