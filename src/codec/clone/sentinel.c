/* The sentinels are the addresses of two static variables. */
#include "codec/clone/sentinel.h"

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
