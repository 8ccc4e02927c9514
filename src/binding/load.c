/* Loads our own Lua files, even without a free descriptor. */
#include "binding/parts.h"
#include "binding/state.h"
#include "compat/lua.h"
#include "core/process/spawner.h"

/* loadFile(path) -> function, or nil, message: like loadfile, but frees a reserved descriptor if
 * the process has none left. Files that are loaded late may be needed to report that lack. */
static int load_file(lua_State *L)
{
  const char *path = luaL_checkstring(L, 1);
  cp_spawner *spawner = cpl_state_check(L)->runtime.spawner;
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

void cpl_add_load(lua_State *L)
{
  lua_pushcfunction(L, load_file);
  lua_setfield(L, -2, "loadFile");
}
