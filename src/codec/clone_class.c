#include "clone_class.h"

#include "clone.h"

#include <lauxlib.h>
#include <string.h>

/* Key in the registry: the classes, or before that the function that gives them. */
static const char CLASSES_KEY = 0;

static const char UNDEFINED = 0;
static const char DELETED = 0;

void cp_clone_push_undefined(lua_State *L)
{
  lua_pushlightuserdata(L, (void *)&UNDEFINED);
}

bool cp_clone_is_undefined(lua_State *L, int index)
{
  return lua_islightuserdata(L, index) && lua_touserdata(L, index) == &UNDEFINED;
}

void cp_clone_push_deleted(lua_State *L)
{
  lua_pushlightuserdata(L, (void *)&DELETED);
}

bool cp_clone_is_deleted(lua_State *L, int index)
{
  return lua_islightuserdata(L, index) && lua_touserdata(L, index) == &DELETED;
}

void cp_clone_set_classes(lua_State *L)
{
  lua_rawsetp(L, LUA_REGISTRYINDEX, &CLASSES_KEY);
}

/* Without anybody who knows better they are empty. */
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

static const cp_clone_view views[] = {
    {0, "Int8Array", 1, 'b'},
    {1, "Uint8Array", 1, 'B'},
    {2, "Uint8ClampedArray", 1, 'C'},
    {3, "Int16Array", 2, 'w'},
    {4, "Uint16Array", 2, 'W'},
    {5, "Int32Array", 4, 'd'},
    {6, "Uint32Array", 4, 'D'},
    {7, "Float32Array", 4, 'f'},
    {8, "Float64Array", 8, 'F'},
    {9, "DataView", 1, '?'},
    {CP_CLONE_VIEW_BUFFER, "Buffer", 1, CP_CLONE_NO_TAG},
    {11, "BigInt64Array", 8, 'q'},
    {12, "BigUint64Array", 8, 'Q'},
    {13, "Float16Array", 2, 'h'},
};

enum { VIEWS = sizeof(views) / sizeof(views[0]) };

const cp_clone_view *cp_clone_view_of_number(uint32_t number)
{
  return number < VIEWS ? &views[number] : NULL;
}

const cp_clone_view *cp_clone_view_of_tag(uint8_t tag)
{
  for (int i = 0; i < VIEWS; i++) {
    if (views[i].tag == tag && tag != CP_CLONE_NO_TAG) {
      return &views[i];
    }
  }
  return NULL;
}

const cp_clone_view *cp_clone_view_of_name(const char *name)
{
  for (int i = 0; i < VIEWS; i++) {
    if (strcmp(views[i].name, name) == 0) {
      return &views[i];
    }
  }
  return NULL;
}
