/* Calls the functions that make and split cdata. */
#include "compat/int64.h"

/* Keys in the registry. */
static const char MAKE_KEY = 0;
static const char SPLIT_KEY = 0;

void cp_int64_set_functions(lua_State *L)
{
  lua_rawsetp(L, LUA_REGISTRYINDEX, &SPLIT_KEY);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &MAKE_KEY);
}

void cp_int64_push(lua_State *L, int64_t integer)
{
  if (integer >= -CP_LUA_LARGEST_INTEGER && integer <= CP_LUA_LARGEST_INTEGER) {
    lua_pushinteger(L, (lua_Integer)integer);
  } else if (lua_rawgetp(L, LUA_REGISTRYINDEX, &MAKE_KEY) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushinteger(L, (lua_Integer)integer);
  } else {
    lua_pushnumber(L, (int32_t)(integer >> 32));
    lua_pushnumber(L, (uint32_t)integer);
    lua_call(L, 2, 1);
  }
}

bool cp_int64_read(lua_State *L, int64_t *integer)
{
  int top = lua_gettop(L);
  bool good = false;

  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &SPLIT_KEY) != LUA_TNIL) {
    lua_pushvalue(L, top);
    lua_call(L, 1, 2);
    good = lua_type(L, -2) == LUA_TNUMBER;
    *integer = (int64_t)lua_tonumber(L, -2) * ((int64_t)1 << 32) + (int64_t)lua_tonumber(L, -1);
  }
  lua_settop(L, top);
  return good;
}
