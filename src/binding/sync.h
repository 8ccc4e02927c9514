/* Running a program to its end. */
#ifndef CP_BINDING_SYNC_H
#define CP_BINDING_SYNC_H

#include <lua.h>

/* Adds `runSync` to the table on top of the stack. */
void cp_sync_functions(lua_State *L);

#endif
