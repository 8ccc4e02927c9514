/* Decides which tables are arrays. */
#ifndef CP_ARRAY_H
#define CP_ARRAY_H

#include "compat/lua.h"

#include <stdbool.h>

/* Pushes the array mark: the metatable that makes any table an array. */
void cp_array_push_mark(lua_State *L);

/* Returns whether the table on top of the stack is an array without the mark: its keys are exactly
 * 1 to `count`, its length. */
bool cp_array_is_sequence(lua_State *L, lua_Unsigned count);

/* Returns whether a marked table with `count` entries, the last one at the index `last`, has so few
 * holes that all of them belong to the array. */
bool cp_array_is_dense(lua_Unsigned last, lua_Unsigned count);

/* Returns the length of the table on top of the stack, which has the mark: the index of its last
 * entry, or of the last one before the first hole if it is not dense. (lua_rawlen may return the
 * index before any hole; which one differs between versions of Lua.) */
lua_Unsigned cp_array_length(lua_State *L);

#endif
