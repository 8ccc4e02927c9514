/* The addresses of a host by its name. */
#ifndef CP_BINDING_LOOKUP_H
#define CP_BINDING_LOOKUP_H

#include <lua.h>

/* Adds the function to the table on top of the stack. */
void cp_lookup_functions(lua_State *L);

#endif
