#include "clone.h"

#include "../codec/clone.h"
#include "../codec/clone_class.h"
#include "string_buffer.h"

#include <lauxlib.h>

/* Pushes the bytes of the first argument. The second one is the buffer. */
static int push_bytes(lua_State *L)
{
  cp_buffer *buffer = lua_touserdata(L, 2);

  cp_clone_encode(L, 1, buffer);
  cp_string_buffer_push(L, buffer);
  return 1;
}

/* encode(value) -> bytes */
static int clone_encode(lua_State *L)
{
  cp_buffer buffer = {.data = NULL};
  int status = LUA_OK;

  lua_settop(L, 1);
  lua_pushcfunction(L, push_bytes);
  lua_insert(L, 1);
  lua_pushlightuserdata(L, &buffer);
  status = lua_pcall(L, 2, 1, 0);
  cp_buffer_free(&buffer);
  return status == LUA_OK ? 1 : lua_error(L);
}

/* decode(bytes) -> value, or nil, reason, offset from 1 */
static int clone_decode(lua_State *L)
{
  size_t length = 0;
  const char *bytes = luaL_checklstring(L, 1, &length);
  cp_clone_error error;

  if (cp_clone_decode(L, bytes, length, &error)) {
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, error.reason);
  lua_pushinteger(L, (lua_Integer)error.offset + 1);
  return 3;
}

/* elementSize(name of a typed array) -> bytes of an element, or nil if there is none */
static int clone_element_size(lua_State *L)
{
  const cp_clone_view *view = cp_clone_view_of_name(luaL_checkstring(L, 1));

  if (view == NULL) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, view->element_size);
  }
  return 1;
}

/* setError(function(place, value, reason) -> error): makes the errors that encode raises */
static int clone_set_error(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  cp_clone_set_error(L);
  return 0;
}

/* setClasses(function() -> metatables): called with the first object of a class */
static int clone_set_classes(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  cp_clone_set_classes(L);
  return 0;
}

static const luaL_Reg functions[] = {
    {"encode", clone_encode},
    {"decode", clone_decode},
    {"elementSize", clone_element_size},
    {"setError", clone_set_error},
    {"setClasses", clone_set_classes},
    {NULL, NULL},
};

int cp_open_clone(lua_State *L)
{
  luaL_newlib(L, functions);
  cp_clone_push_undefined(L);
  lua_setfield(L, -2, "undefined");
  cp_clone_push_deleted(L);
  lua_setfield(L, -2, "deleted");
  return 1;
}
