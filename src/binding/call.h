/* Calls from the loop into Lua.
 *
 * A Lua error must not leave a callback of libuv, and Lua functions must not run on whatever
 * coroutine happens to run the loop. So all these calls are protected, and run on one coroutine of
 * their own. An error is kept (kept_errors.h), and stops the loop so that `run` can raise it. */
#ifndef CPL_CALL_H
#define CPL_CALL_H

#include "binding/state.h"

/* Calls `function`, which may raise, with `argument` as light userdata. The function should end
 * with cpl_call_method. Returns false if it ran out of memory: an event that occurs only once must
 * then be reported again. */
bool cpl_call_protected(cpl_state *state, lua_CFunction function, void *argument);

/* For functions that cpl_call_protected calls: calls a method by its name, and drains the ticks
 * that the method adds. Pops the object and `argument_count` arguments, which are on top of the
 * stack. */
void cpl_call_method(lua_State *L, const char *method, int argument_count);

/* For functions that call methods directly, which is faster: drains the ticks that a method has
 * added. */
void cpl_call_drain(lua_State *L, cpl_state *state);

/* Drains the ticks in a protected call. An error is kept, but does not stop the loop. Returns
 * whether there was none. */
bool cpl_call_drain_protected(cpl_state *state);

#endif
