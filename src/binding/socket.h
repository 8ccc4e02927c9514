/* What can be done with a socket besides reading and writing: connecting, options, names. */
#ifndef CP_BINDING_SOCKET_H
#define CP_BINDING_SOCKET_H

#include <lua.h>

/* Adds the functions to the table on top of the stack. */
void cp_socket_functions(lua_State *L);

#endif
