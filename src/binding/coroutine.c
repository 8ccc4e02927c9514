/* Coroutines that the loop resumes, and whether a coroutine can wait for that. */
#include "binding/parts.h"
#include "compat/lua.h"

/* coroutine(fn) -> a new coroutine, like that of coroutine.create */
static int coroutine(lua_State *L)
{
  lua_State *made = NULL;

  luaL_checktype(L, 1, LUA_TFUNCTION);
  made = lua_newthread(L);
  cp_lua_disown(made);
  lua_pushvalue(L, 1);
  lua_xmove(L, made, 1);
  return 1;
}

/* isYieldable() -> whether the running coroutine can yield; nil in Lua 5.1 (not reported) */
static int is_yieldable(lua_State *L)
{
  int yieldable = cp_lua_isyieldable(L);

  if (yieldable < 0) {
    lua_pushnil(L);
  } else {
    lua_pushboolean(L, yieldable);
  }
  return 1;
}

void cpl_add_coroutine(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"coroutine", coroutine},
      {"isYieldable", is_yieldable},
      {NULL, NULL},
  };

  luaL_setfuncs(L, functions, 0);
}
