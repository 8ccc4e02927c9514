/* Checks ints, and pushes errnos. */
#include "binding/numbers.h"

#include "compat/lua.h"

#include <limits.h>
#include <stdint.h>

int cpl_push_errno(lua_State *L, int r)
{
  if (r >= 0) {
    return 0;
  }
  lua_pushinteger(L, r);
  return 1;
}

int cpl_push_failure(lua_State *L, int r)
{
  lua_pushnil(L);
  lua_pushinteger(L, r);
  return 2;
}

int cpl_check_int(lua_State *L, int index)
{
  lua_Integer value = luaL_checkinteger(L, index);

  luaL_argcheck(L, value >= INT_MIN && value <= INT_MAX, index, "out of range");
  return (int)value;
}

size_t cpl_check_size(lua_State *L, int index)
{
  lua_Integer value = luaL_checkinteger(L, index);

  luaL_argcheck(L, value >= 0, index, "out of range");
  return (uint64_t)value < SIZE_MAX ? (size_t)value : SIZE_MAX;
}
