#include "clone.h"

#include "../codec/clone.h"
#include "../codec/clone_view.h"
#include "codec.h"

#include <lauxlib.h>

/* encode(value) -> bytes */
static int clone_encode(lua_State *L)
{
  return cp_codec_encode(L, cp_clone_encode);
}

/* decode(bytes) -> value, or nil, reason, offset from 1 */
static int clone_decode(lua_State *L)
{
  return cp_codec_decode(L, cp_clone_decode);
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
  return cp_codec_keep_function(L, cp_clone_set_error);
}

/* setClasses(function() -> metatables): called with the first object of a class */
static int clone_set_classes(lua_State *L)
{
  return cp_codec_keep_function(L, cp_clone_set_classes);
}

int cp_open_clone(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"encode", clone_encode},
      {"decode", clone_decode},
      {"elementSize", clone_element_size},
      {"setError", clone_set_error},
      {"setClasses", clone_set_classes},
      {NULL, NULL},
  };

  luaL_newlib(L, functions);
  cp_clone_push_undefined(L);
  lua_setfield(L, -2, "undefined");
  cp_clone_push_deleted(L);
  lua_setfield(L, -2, "deleted");
  return 1;
}
