#include "array.h"

/* Key in the registry: the metatable that marks arrays. */
static const char MARK_KEY = 0;

void cp_array_push_mark(lua_State *L)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &MARK_KEY) != LUA_TNIL) {
    return;
  }
  lua_pop(L, 1);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "array");
  lua_setfield(L, -2, "__name");
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &MARK_KEY);
}

bool cp_array_is_sequence(lua_State *L, lua_Unsigned count)
{
  lua_Unsigned left = count;

  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    lua_pop(L, 1);
    if (!lua_isinteger(L, -1) || (lua_Unsigned)lua_tointeger(L, -1) - 1 >= count) {
      lua_pop(L, 1);
      return false;
    }
    left--;
  }
  return left == 0;
}
