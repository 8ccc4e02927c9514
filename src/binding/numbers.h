/* Numbers between C and Lua: ints as arguments, errnos as results. */
#ifndef CPL_NUMBERS_H
#define CPL_NUMBERS_H

#include "compat/lua.h"

#include <stddef.h>

/* Pushes nothing on success, the negative errno otherwise. Returns the number of results. */
int cpl_push_errno(lua_State *L, int r);

/* Pushes nil and the negative errno. Returns the number of results. */
int cpl_push_failure(lua_State *L, int r);

/* Returns the integer at `index`. Raises if it does not fit into an int: truncated it could be
 * another valid number. */
int cpl_check_int(lua_State *L, int index);

/* Returns the number of bytes at `index`, or the greatest possible one if it does not fit into a
 * size_t. */
size_t cpl_check_size(lua_State *L, int index);

#endif
