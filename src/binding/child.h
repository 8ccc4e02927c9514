/* ChildProcess objects: starting a program, its end, signals to it. */
#ifndef CP_BINDING_CHILD_H
#define CP_BINDING_CHILD_H

#include <lua.h>

/* Adds the class to the table on top of the stack. */
void cp_child_functions(lua_State *L);

#endif
