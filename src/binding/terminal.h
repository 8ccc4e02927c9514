/* The terminal of a child in Lua: how a start describes it, and the handle on our end of it. */
#ifndef CPL_TERMINAL_H
#define CPL_TERMINAL_H

#include "binding/state.h"
#include "compat/lua.h"
#include "core/process/terminal.h"

/* Reads the table on top of the stack, which has the fields columns, rows, raw and echo, or else
 * `handle`: the handle on the terminal of another child. Raises if it is something else. */
void cpl_terminal_read(lua_State *L, cp_terminal *terminal);

/* Pushes a stream handle on our end of a new terminal. It owns both ends, and keeps the other one
 * open until its method `letEnd` is called. Raises when out of memory; then the caller still owns
 * them. Otherwise only `terminal->theirs` remains set. */
void cpl_terminal_push(lua_State *L, cpl_state *state, cp_terminal *terminal);

#endif
