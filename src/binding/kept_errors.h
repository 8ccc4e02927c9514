/* Keeps the errors that calls from the loop into Lua have raised, each with its traceback, until
 * `run` raises them. */
#ifndef CPL_KEPT_ERRORS_H
#define CPL_KEPT_ERRORS_H

#include "binding/state.h"

/* Pushes the message handler for lua_pcall. It adds the traceback to an error, in the form that
 * cpl_kept_errors_add expects. */
void cpl_kept_errors_push_handler(lua_State *L);

/* Keeps the error that lua_pcall has left on top of the stack, and pops it. When out of memory,
 * records only that there was an error. */
void cpl_kept_errors_add(lua_State *L, cpl_state *state);

/* Raises the oldest kept error, unchanged. Returns if no error is kept. */
void cpl_kept_errors_raise(lua_State *L, cpl_state *state);

#endif
