/* Raises errors so that no line of ours stands above the user's in the traceback. */
#include "binding/parts.h"
#include "compat/lua.h"

/* throw(err): raises it like error(err, 0). A message handler can recognise this function. */
static int throw_error(lua_State *L)
{
  lua_settop(L, 1);
  return lua_error(L);
}

static int call_and_raise(lua_State *L)
{
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 2);
  /* ok, result */
  if (!lua_toboolean(L, 1)) {
    return lua_error(L);
  }
  return 1;
}

/* raising(fn) -> a function that calls fn, which returns true and a result, or false and an error.
 * The error is raised after fn has returned. */
static int raising(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_pushcclosure(L, call_and_raise, 1);
  return 1;
}

void cpl_add_raising(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"throw", throw_error},
      {"raising", raising},
      {NULL, NULL},
  };

  luaL_setfuncs(L, functions, 0);
}
