#include "object.h"

#include <limits.h>
#include <string.h>

static void make_class(lua_State *L, const char *name, const luaL_Reg *metamethods,
                       const luaL_Reg *methods)
{
  /* It is there already when the module is loaded a second time. */
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, name) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, name);
    lua_pushvalue(L, -1);
    lua_pushstring(L, name);
    lua_rawset(L, LUA_REGISTRYINDEX);
  }
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  luaL_setfuncs(L, metamethods, 0);
  /* The metamethods take for granted what they are called with. */
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__metatable");
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  /* metatable, methods */
}

void cp_object_class(lua_State *L, const char *name, const luaL_Reg *metamethods,
                     const luaL_Reg *methods)
{
  make_class(L, name, metamethods, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
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

void cp_object_open_class(lua_State *L, const char *name, const luaL_Reg *metamethods,
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

void *cp_object_new(lua_State *L, const char *name, size_t size)
{
  void *object = lua_newuserdatauv(L, size, 1);

  memset(object, 0, size);
  lua_rawgetp(L, LUA_REGISTRYINDEX, name);
  lua_setmetatable(L, -2);
  return object;
}

void *cp_object_test(lua_State *L, int index, const char *name)
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

void *cp_object_check(lua_State *L, int index, const char *name)
{
  void *object = cp_object_test(L, index, name);

  if (object == NULL) {
    luaL_typeerror(L, index, name);
  }
  return object;
}

/* kindOf(value) -> the name of its class, nil if it is no object of ours. Unlike the field __name of a
 * metatable it cannot be somebody else's. */
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

void cp_object_functions(lua_State *L)
{
  lua_pushcfunction(L, kind_of);
  lua_setfield(L, -2, "kindOf");
}

int cp_object_set_owner(lua_State *L)
{
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  lua_setiuservalue(L, 1, 1);
  return 0;
}

int cp_push_errno(lua_State *L, int r)
{
  if (r >= 0) {
    return 0;
  }
  lua_pushinteger(L, r);
  return 1;
}

int cp_push_failure(lua_State *L, int r)
{
  lua_pushnil(L);
  lua_pushinteger(L, r);
  return 2;
}

int cp_check_int(lua_State *L, int index)
{
  lua_Integer value = luaL_checkinteger(L, index);

  luaL_argcheck(L, value >= INT_MIN && value <= INT_MAX, index, "out of range");
  return (int)value;
}
