/* The classes are kept in the registry. */
#include "codec/clone/class.h"

#include "compat/lua.h"

/* Key in the registry: the table of cp_clone_push_classes, or before its first use the function
 * that returns the list of metatables. */
static const char CLASSES_KEY = 0;

void cp_clone_set_classes(lua_State *L)
{
  lua_rawsetp(L, LUA_REGISTRYINDEX, &CLASSES_KEY);
}

/* Pushes the list of metatables, which are empty tables if no function was set. */
static void push_list(lua_State *L)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &CLASSES_KEY) == LUA_TFUNCTION) {
    lua_call(L, 0, 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    return;
  }
  lua_pop(L, 1);
  lua_createtable(L, CP_CLONE_CLASSES, 0);
  for (int i = 1; i <= CP_CLONE_CLASSES; i++) {
    lua_newtable(L);
    lua_rawseti(L, -2, i);
  }
}

void cp_clone_push_classes(lua_State *L)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &CLASSES_KEY) == LUA_TTABLE) {
    return;
  }
  lua_pop(L, 1);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  push_list(L);
  lua_createtable(L, CP_CLONE_CLASSES, CP_CLONE_CLASSES);
  for (int i = 1; i <= CP_CLONE_CLASSES; i++) {
    lua_rawgeti(L, -2, i);
    luaL_checktype(L, -1, LUA_TTABLE);
    lua_pushvalue(L, -1);
    /* list, classes, metatable, metatable */
    lua_rawseti(L, -3, i);
    lua_pushinteger(L, i);
    lua_rawset(L, -3);
  }
  lua_remove(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &CLASSES_KEY);
}

void cp_clone_set_class(lua_State *L, cp_clone_class class)
{
  cp_clone_push_classes(L);
  lua_rawgeti(L, -1, class);
  lua_setmetatable(L, -3);
  lua_pop(L, 1);
}

bool cp_clone_has_class(lua_State *L, cp_clone_class class)
{
  bool has_class = false;

  if (lua_istable(L, -1) && lua_getmetatable(L, -1)) {
    cp_clone_push_classes(L);
    lua_rawgeti(L, -1, class);
    has_class = lua_rawequal(L, -1, -3);
    lua_pop(L, 3);
  }
  return has_class;
}

int cp_clone_push_field(lua_State *L, int index, const char *name)
{
  index = lua_absindex(L, index);
  lua_pushstring(L, name);
  return lua_rawget(L, index);
}

const char *cp_clone_push_string_field(lua_State *L, int index, const char *name, size_t *length)
{
  return cp_clone_push_field(L, index, name) == LUA_TSTRING ? lua_tolstring(L, -1, length) : NULL;
}
