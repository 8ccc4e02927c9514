/* Signals that the process itself receives. */
#ifndef CP_BINDING_SIGNAL_H
#define CP_BINDING_SIGNAL_H

#include <lua.h>

/* Adds the constructor to the table on top of the stack. */
void cp_signal_functions(lua_State *L);

#endif
