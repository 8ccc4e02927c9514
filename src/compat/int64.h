/* Integers of 64 bits in Lua. Where Lua has no such integers, LuaJIT's FFI library has them: as
 * cdata of the types int64_t and uint64_t. Its values are made and read by functions in Lua. */
#ifndef CP_COMPAT_INT64_H
#define CP_COMPAT_INT64_H

#include "compat/lua.h"

#include <stdint.h>

/* The type of LuaJIT's cdata, which lua.h does not name. */
enum { CP_LUA_TCDATA = 10 };

/* Pops two functions, and sets them for cdata: `make(high, low)` returns an integer, and
 * `split(value)` returns the high and the low 32 bits of one, or nothing. They may be nil. */
void cp_int64_set_functions(lua_State *L);

/* Pushes the integer: as Lua's own; if Lua has none of that size, as cdata if `make` is set, or
 * else as the nearest float. */
void cp_int64_push(lua_State *L, int64_t integer);

/* Reads the cdata on top of the stack. Returns false if it is not an integer of 64 bits with sign,
 * or if `split` is not set. */
bool cp_int64_read(lua_State *L, int64_t *integer);

#endif
