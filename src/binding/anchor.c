#include "anchor.h"

void cp_anchor_set(lua_State *L, cp_anchor *anchor, int index, bool held)
{
  if (!held) {
    cp_anchor_release(L, anchor);
  } else if (*anchor == LUA_NOREF) {
    lua_pushvalue(L, index);
    *anchor = luaL_ref(L, LUA_REGISTRYINDEX);
  }
}

void cp_anchor_release(lua_State *L, cp_anchor *anchor)
{
  luaL_unref(L, LUA_REGISTRYINDEX, *anchor);
  *anchor = LUA_NOREF;
}

void cp_anchor_push(lua_State *L, cp_anchor anchor)
{
  lua_rawgeti(L, LUA_REGISTRYINDEX, anchor);
}

void cp_anchor_push_owner(lua_State *L, cp_anchor anchor)
{
  lua_rawgeti(L, LUA_REGISTRYINDEX, anchor);
  lua_getiuservalue(L, -1, 1);
  lua_remove(L, -2);
}
