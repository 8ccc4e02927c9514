/* The field `clone` of the module: structured clone, for lua/child_process/clone.lua. */
#include "codec/clone/clone.h"

#include "binding/codec.h"
#include "binding/parts.h"
#include "codec/clone/class.h"
#include "codec/clone/sentinel.h"
#include "codec/clone/view.h"
#include "compat/lua.h"

/* encode(value) -> bytes */
static int clone_encode(lua_State *L)
{
  return cpl_codec_encode(L, cp_clone_encode);
}

/* decode(bytes) -> value, or nil, reason, offset from 1 */
static int clone_decode(lua_State *L)
{
  return cpl_codec_decode(L, cp_clone_decode);
}

/* elementSize(name) -> size in bytes of an element of this class of typed arrays; nil for other
 * names */
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

/* setError(make): `make(place, value, reason)` returns the error that encode raises. */
static int clone_set_error(lua_State *L)
{
  return cpl_codec_keep_function(L, cp_clone_set_error_maker);
}

/* setClasses(load): `load()` returns the metatables. It is called with the first object of a
 * class. */
static int clone_set_classes(lua_State *L)
{
  return cpl_codec_keep_function(L, cp_clone_set_classes);
}

void cpl_add_clone(lua_State *L)
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
  lua_setfield(L, -2, "clone");
}
