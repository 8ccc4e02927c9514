#include "json.h"

/* Key in the registry: the metatable that marks arrays. */
static const char ARRAY_KEY = 0;

void cp_json_push_array_mark(lua_State *L)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &ARRAY_KEY) != LUA_TNIL) {
    return;
  }
  lua_pop(L, 1);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "array");
  lua_setfield(L, -2, "__name");
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &ARRAY_KEY);
}
