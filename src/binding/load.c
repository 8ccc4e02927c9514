#include "load.h"

#include "../core/spawn.h"
#include "state.h"

#include <lauxlib.h>

/* loadFile(path) -> function, or nil, message: as loadfile, also where no descriptor is to be had. What
 * is loaded late is loaded to tell of that, in an "error" event. */
static int load_file(lua_State *L)
{
  const char *path = luaL_checkstring(L, 1);
  cp_spawner *spawner = cp_state_check(L)->loop.spawner;
  int status = luaL_loadfile(L, path);

  if (status == LUA_ERRFILE && cp_spawner_lend(spawner)) {
    lua_pop(L, 1);
    status = luaL_loadfile(L, path);
    cp_spawner_take_back(spawner);
  }
  if (status != LUA_OK) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  return 1;
}

void cp_load_functions(lua_State *L)
{
  lua_pushcfunction(L, load_file);
  lua_setfield(L, -2, "loadFile");
}
