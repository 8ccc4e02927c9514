/* The field `json` of the module: JSON, for lua/child_process/json.lua. */
#include "codec/json/json.h"

#include "binding/codec.h"
#include "binding/parts.h"
#include "codec/array.h"
#include "compat/lua.h"

/* encode(value) -> text, or nil for values that have no JSON text */
static int json_encode(lua_State *L)
{
  luaL_checkany(L, 1);
  return cpl_codec_encode(L, cp_json_encode);
}

/* decode(text) -> value, or nil, reason, offset from 1 */
static int json_decode(lua_State *L)
{
  return cpl_codec_decode(L, cp_json_decode);
}

/* array([table]) -> the table, or a new one, marked as an array */
static int json_array(lua_State *L)
{
  if (lua_isnoneornil(L, 1)) {
    lua_settop(L, 0);
    lua_newtable(L);
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  cp_array_push_mark(L);
  lua_setmetatable(L, 1);
  return 1;
}

/* setError(make): `make(place, value, reason)` returns the error that encode raises. */
static int json_set_error(lua_State *L)
{
  return cpl_codec_keep_function(L, cp_json_set_error_maker);
}

void cpl_add_json(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"encode", json_encode},
      {"decode", json_decode},
      {"array", json_array},
      {"setError", json_set_error},
      {NULL, NULL},
  };

  luaL_newlib(L, functions);
  lua_setfield(L, -2, "json");
}
