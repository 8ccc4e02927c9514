/* Being called once in the next turn of the loop, after its events: what setImmediate needs. */
#ifndef CP_BINDING_TURN_H
#define CP_BINDING_TURN_H

#include <lua.h>

/* Adds the constructor to the table on top of the stack. */
void cp_turn_functions(lua_State *L);

#endif
