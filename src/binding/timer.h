/* One-shot timers, as Lua sees them. */
#ifndef CP_BINDING_TIMER_H
#define CP_BINDING_TIMER_H

#include <lua.h>

/* Adds the constructor to the table on top of the stack. */
void cp_timer_functions(lua_State *L);

#endif
