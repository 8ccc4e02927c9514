/* Raises encoding errors, which name the place of the bad part within the value. */
#ifndef CP_RAISE_H
#define CP_RAISE_H

#include "compat/lua.h"

/* Raises an error about the value on top of the stack. `levels` keys lead from the outermost value
 * to it: from `bottom` on, tables and keys alternate on the stack, each key leading to the next
 * table.
 *
 * The registry holds a function under the light userdata `maker`. The function receives the place
 * ("message.list[3]"), the value, and the reason, which is the predicate of a sentence ("closes a
 * cycle"). It returns the error. If there is no function, the error is a string. */
void cp_raise(lua_State *L, const void *maker, int bottom, int levels, const char *reason);

/* The reason for a cdata that is not sent. */
#define CP_CDATA_REASON                                                                            \
  "is a cdata: only int64_t, and uint64_t below 2^63, are sent, with cp.int64 = true"

/* Raises Lua's own out-of-memory error. */
void cp_raise_memory(lua_State *L);

#endif
