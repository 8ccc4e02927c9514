/* Listening sockets, as Lua sees them. */
#ifndef CP_BINDING_LISTENER_H
#define CP_BINDING_LISTENER_H

#include <lua.h>

/* Adds the class's constructors to the table on top of the stack. */
void cp_listener_functions(lua_State *L);

#endif
