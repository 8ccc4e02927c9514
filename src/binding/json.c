#include "json.h"

#include "../codec/array.h"
#include "../codec/json.h"
#include "codec.h"

#include <lauxlib.h>

/* encode(value) -> text or nil */
static int json_encode(lua_State *L)
{
  luaL_checkany(L, 1);
  return cp_codec_encode(L, cp_json_encode);
}

/* decode(text) -> value, or nil, reason, offset from 1 */
static int json_decode(lua_State *L)
{
  return cp_codec_decode(L, cp_json_decode);
}

/* array([table]) -> the table, or a new one, with the mark of arrays */
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

/* setError(function(place, value, reason) -> error): makes the errors that encode raises */
static int json_set_error(lua_State *L)
{
  return cp_codec_keep_function(L, cp_json_set_error);
}

int cp_open_json(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"encode", json_encode},
      {"decode", json_decode},
      {"array", json_array},
      {"setError", json_set_error},
      {NULL, NULL},
  };

  luaL_newlib(L, functions);
  return 1;
}
