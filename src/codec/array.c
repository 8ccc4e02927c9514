/* The array mark is kept in the registry. */
#include "codec/array.h"

/* Key in the registry: the array mark. */
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

bool cp_array_is_dense(lua_Unsigned last, lua_Unsigned count)
{
  enum { ALWAYS = 8 };

  return last / 2 <= count + ALWAYS / 2;
}

static lua_Unsigned first_hole(lua_State *L)
{
  lua_Integer index = 0;
  int type = LUA_TNIL;

  do {
    type = lua_rawgeti(L, -1, ++index);
    lua_pop(L, 1);
  } while (type != LUA_TNIL);
  return (lua_Unsigned)index;
}

lua_Unsigned cp_array_length(lua_State *L)
{
  lua_Unsigned last = 0, count = 0;

  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    lua_pop(L, 1);
    if (lua_isinteger(L, -1) && lua_tointeger(L, -1) > 0) {
      lua_Unsigned index = (lua_Unsigned)lua_tointeger(L, -1);

      count++;
      last = index > last ? index : last;
    }
  }
  return cp_array_is_dense(last, count) ? last : first_hole(L) - 1;
}
