/* The process that we are: what the process object needs of the system. */
#ifndef CP_BINDING_SYSTEM_H
#define CP_BINDING_SYSTEM_H

#include <lua.h>

/* Adds the functions to the table on top of the stack. */
void cp_system_functions(lua_State *L);

#endif
