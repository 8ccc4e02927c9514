/* Makes classes of userdata, makes their objects, and checks the class of a value. */
#include "binding/object.h"

#include "binding/parts.h"

#include <string.h>

static void make_class(lua_State *L, const char *name, const luaL_Reg *metamethods,
                       const luaL_Reg *methods)
{
  /* The metatable exists already if loading the module has failed before, out of memory, perhaps
   * just here. */
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, name) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, name);
  }
  lua_pushvalue(L, -1);
  lua_pushstring(L, name);
  lua_rawset(L, LUA_REGISTRYINDEX);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  luaL_setfuncs(L, metamethods, 0);
  /* Locked, since the metamethods do not check their arguments. */
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__metatable");
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  /* metatable, methods */
}

void cpl_object_class(lua_State *L, const char *name, const luaL_Reg *metamethods,
                      const luaL_Reg *methods)
{
  make_class(L, name, metamethods, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void cpl_object_add_methods(lua_State *L, const char *name, const luaL_Reg *methods)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, name);
  lua_getfield(L, -1, "__index");
  luaL_setfuncs(L, methods, 0);
  lua_pop(L, 2);
}

static int open_index(lua_State *L)
{
  lua_getiuservalue(L, 1, 1);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, -2) == LUA_TNIL) {
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
  }
  return 1;
}

static int open_newindex(lua_State *L)
{
  lua_getiuservalue(L, 1, 1);
  lua_replace(L, 1);
  lua_rawset(L, 1);
  return 0;
}

void cpl_object_open_class(lua_State *L, const char *name, const luaL_Reg *metamethods,
                           const luaL_Reg *methods)
{
  make_class(L, name, metamethods, methods);
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, open_index, 1);
  lua_setfield(L, -3, "__index");
  lua_pushcfunction(L, open_newindex);
  lua_setfield(L, -3, "__newindex");
  lua_remove(L, -2);
}

void *cpl_object_new(lua_State *L, const char *name, size_t size)
{
  void *object = lua_newuserdatauv(L, size, 1);

  memset(object, 0, size);
  lua_rawgetp(L, LUA_REGISTRYINDEX, name);
  lua_setmetatable(L, -2);
  return object;
}

void *cpl_object_test(lua_State *L, int index, const char *name)
{
  void *object = lua_touserdata(L, index);

  if (object == NULL || !lua_getmetatable(L, index)) {
    return NULL;
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, name);
  if (!lua_rawequal(L, -1, -2)) {
    object = NULL;
  }
  lua_pop(L, 2);
  return object;
}

void *cpl_object_check(lua_State *L, int index, const char *name)
{
  void *object = cpl_object_test(L, index, name);

  if (object == NULL) {
    luaL_typeerror(L, index, name);
  }
  return object;
}

/* kindOf(value) -> the name of its class; nil if the value is not an object of ours. A script
 * cannot forge it, unlike the field __name of a metatable. */
static int kind_of(lua_State *L)
{
  luaL_checkany(L, 1);
  if (lua_touserdata(L, 1) == NULL || !lua_getmetatable(L, 1)) {
    lua_pushnil(L);
    return 1;
  }
  lua_rawget(L, LUA_REGISTRYINDEX);
  return 1;
}

void cpl_add_object(lua_State *L)
{
  lua_pushcfunction(L, kind_of);
  lua_setfield(L, -2, "kindOf");
}

int cpl_object_set_owner(lua_State *L)
{
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  lua_setiuservalue(L, 1, 1);
  return 0;
}
