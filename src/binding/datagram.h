/* UDP sockets that Lua holds: child_process.DatagramHandle. */
#ifndef CP_BINDING_DATAGRAM_H
#define CP_BINDING_DATAGRAM_H

#include <lua.h>

/* Adds `datagram`, `openDatagram`, `isFreeDatagram` and `datagramFamily` to the table on top
 * of the stack, and makes the class. */
void cp_datagram_functions(lua_State *L);

#endif
