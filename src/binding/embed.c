/* What C programs call, see child_process.h. */
#include "binding/state.h"
#include "compat/lua.h"

#include <child_process.h>
#include <errno.h>
#include <string.h>

const char *child_process_version(void)
{
  return CHILD_PROCESS_VERSION;
}

/* Raises unless the state has what loading a module takes. */
static void check_libraries(lua_State *L)
{
  lua_getglobal(L, "package");
  lua_getglobal(L, "require");
  if (!lua_istable(L, -2) || !lua_isfunction(L, -1)) {
    luaL_error(L, "child_process: the Lua state has no library \"package\" with the function "
                  "\"require\": call luaL_openlibs before child_process_open");
  }
  lua_pop(L, 2);
}

static void preload_core(lua_State *L)
{
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_child_process_core);
  lua_setfield(L, -2, "child_process.core");
  lua_pop(L, 2);
}

/* Raises unless the module on top of the stack is of our version. */
static void check_version(lua_State *L)
{
  static const char expected[] = "child_process " CHILD_PROCESS_VERSION;
  const char *found = NULL;

  lua_getfield(L, -1, "_VERSION");
  found = lua_tostring(L, -1);
  if (found == NULL || strcmp(found, expected) != 0) {
    luaL_error(L, "child_process: the Lua files are of another version: \"%s\", not \"%s\"",
               found == NULL ? "nil" : found, expected);
  }
  lua_pop(L, 1);
}

static int open_module(lua_State *L)
{
  check_libraries(L);
  preload_core(L);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "child_process");
  lua_call(L, 1, 1);
  check_version(L);
  if (cpl_state_get(L) == NULL) {
    return luaL_error(L, "child_process: the module was loaded before, with another C part");
  }
  (void)cpl_state_check(L); /* the module may have been closed */
  return 1;
}

int child_process_open(lua_State *L)
{
  lua_pushcfunction(L, open_module);
  return lua_pcall(L, 0, 1, 0);
}

int child_process_set_loop(lua_State *L, uv_loop_t *loop)
{
  if (cpl_state_get(L) != NULL) {
    return -EBUSY;
  }
  if (loop == NULL) {
    lua_pushnil(L);
  } else {
    lua_pushlightuserdata(L, loop);
  }
  lua_setfield(L, LUA_REGISTRYINDEX, CPL_HOST_LOOP_KEY);
  return 0;
}

int child_process_close(lua_State *L)
{
  cpl_state *state = cpl_state_get(L);

  if (state == NULL) {
    return 0;
  }
  if (cp_loop_is_running(&state->runtime.loop) || state->depth > 0) {
    return -EBUSY;
  }
  cpl_state_close(state);
  return 0;
}
