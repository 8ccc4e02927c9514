#include "json.h"

#include "../codec/json.h"
#include "string_buffer.h"

#include <lauxlib.h>

/* Pushes the JSON text of the first argument, nil if it has none. The second one is the buffer. */
static int push_text(lua_State *L)
{
  cp_buffer *buffer = lua_touserdata(L, 2);

  if (cp_json_encode(L, 1, buffer)) {
    cp_string_buffer_push(L, buffer);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

/* encode(value) -> text or nil */
static int json_encode(lua_State *L)
{
  cp_buffer buffer = {.data = NULL};
  int status = LUA_OK;

  luaL_checkany(L, 1);
  lua_settop(L, 1);
  lua_pushcfunction(L, push_text);
  lua_insert(L, 1);
  lua_pushlightuserdata(L, &buffer);
  status = lua_pcall(L, 2, 1, 0);
  cp_buffer_free(&buffer);
  return status == LUA_OK ? 1 : lua_error(L);
}

/* decode(text) -> value, or nil, reason, offset from 1 */
static int json_decode(lua_State *L)
{
  size_t length = 0;
  const char *text = luaL_checklstring(L, 1, &length);
  cp_json_error error;

  if (cp_json_decode(L, text, length, &error)) {
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, error.reason);
  lua_pushinteger(L, (lua_Integer)error.offset + 1);
  return 3;
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
  cp_json_push_array_mark(L);
  lua_setmetatable(L, 1);
  return 1;
}

/* setError(function(place, value, reason) -> error): makes the errors that encode raises */
static int json_set_error(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  cp_json_set_error(L);
  return 0;
}

static const luaL_Reg functions[] = {
    {"encode", json_encode},
    {"decode", json_decode},
    {"array", json_array},
    {"setError", json_set_error},
    {NULL, NULL},
};

int cp_open_json(lua_State *L)
{
  luaL_newlib(L, functions);
  return 1;
}
