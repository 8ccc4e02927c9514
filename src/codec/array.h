/* What table is an array. */
#ifndef CP_ARRAY_H
#define CP_ARRAY_H

#include <lua.h>
#include <stdbool.h>

/* Pushes the metatable that marks arrays. */
void cp_array_push_mark(lua_State *L);

/* Whether a table without the mark is one: the keys of the table on top have to be exactly 1 to
 * `count`, its length. */
bool cp_array_is_sequence(lua_State *L, lua_Unsigned count);

#endif
