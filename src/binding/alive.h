/* What keeps the loop alive. */
#ifndef CP_BINDING_ALIVE_H
#define CP_BINDING_ALIVE_H

#include <lua.h>

/* Adds the functions to the table on top of the stack. */
void cp_alive_functions(lua_State *L);

#endif
