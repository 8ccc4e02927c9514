/* Keeps the errors of calls into Lua in the registry, as a sequence of {error, traceback}. */
#include "binding/kept_errors.h"

#include "binding/parts.h"
#include "compat/lua.h"

/* Keys in the registry. */
static const char ERRORS_KEY = 0;    /* the sequence */
static const char TRACEBACK_KEY = 0; /* the traceback of the last error that was raised */

static int handle_error(lua_State *L)
{
  /* error */
  lua_createtable(L, 2, 0);
  luaL_traceback(L, L, NULL, 1);
  /* error, entry, traceback */
  if (luaL_getmetafield(L, 1, "__name") == LUA_TSTRING &&
      lua_rawequal(L, -1, lua_upvalueindex(1)) && lua_istable(L, 1)) {
    if (lua_getfield(L, 1, "traceback") == LUA_TSTRING) {
      lua_replace(L, 3); /* the error has a better one */
    } else {
      lua_pushvalue(L, 3);
      lua_setfield(L, 1, "traceback");
    }
  }
  lua_settop(L, 3);
  lua_rawseti(L, 2, 2);
  lua_pushvalue(L, 1);
  lua_rawseti(L, 2, 1);
  return 1;
}

void cpl_kept_errors_push_handler(lua_State *L)
{
  lua_pushliteral(L, "Error"); /* the class of our errors */
  lua_pushcclosure(L, handle_error, 1);
}

static int add_entry(lua_State *L)
{
  /* entry */
  lua_rawgetp(L, LUA_REGISTRYINDEX, &ERRORS_KEY);
  lua_insert(L, 1);
  lua_rawseti(L, 1, (lua_Integer)lua_rawlen(L, 1) + 1);
  return 0;
}

void cpl_kept_errors_add(lua_State *L, cpl_state *state)
{
  int error = lua_gettop(L);
  /* If the handler ran out of memory, the value is a message instead. */
  bool is_entry = lua_istable(L, error);

  lua_pushcfunction(L, add_entry);
  lua_insert(L, -2);
  if (!is_entry || lua_pcall(L, 1, 0, 0) != LUA_OK) {
    state->lost_an_error = true;
  }
  lua_settop(L, error - 1);
}

void cpl_kept_errors_raise(lua_State *L, cpl_state *state)
{
  lua_Integer count = 0;

  lua_rawgetp(L, LUA_REGISTRYINDEX, &ERRORS_KEY);
  count = (lua_Integer)lua_rawlen(L, -1);
  if (count > 0) {
    /* errors */
    lua_rawgeti(L, -1, 1);
    for (lua_Integer i = 1; i <= count; i++) {
      lua_rawgeti(L, -2, i + 1);
      lua_rawseti(L, -3, i);
    }
    /* errors, entry */
    lua_rawgeti(L, -1, 2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &TRACEBACK_KEY);
    lua_rawgeti(L, -1, 1);
    lua_error(L);
  }
  lua_pop(L, 1);
  if (state->lost_an_error) {
    state->lost_an_error = false;
    luaL_error(L, "child_process: not enough memory");
  }
}

/* traceback() -> the traceback of the error that `run` raised last, or nil */
static int traceback(lua_State *L)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &TRACEBACK_KEY);
  return 1;
}

void cpl_add_kept_errors(lua_State *L)
{
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &ERRORS_KEY);
  lua_pushcfunction(L, traceback);
  lua_setfield(L, -2, "traceback");
  cp_lua_keep_function(L, add_entry);
}
