/* The Lua interpreter for `make test-asan`: as much of the stock one as the specs use (-e, -l, a
 * script or standard input, and its arguments), in a program that can be linked with sanitizers. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <stdio.h>
#include <string.h>

static int traceback(lua_State *L)
{
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

/* Calls the function below `arguments` values on the stack; it stays silent when `status`, that of
 * compiling the function, is an error already and its message is on the stack instead. */
static int call(lua_State *L, int status, int arguments)
{
  if (status == LUA_OK) {
    int function = lua_gettop(L) - arguments;
    lua_pushcfunction(L, traceback);
    lua_insert(L, function);
    status = lua_pcall(L, arguments, 0, function);
    lua_remove(L, function);
  }
  if (status != LUA_OK) {
    fprintf(stderr, "lua: %s\n", lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  return status;
}

static void set_arg(lua_State *L, int argc, char **argv, int script)
{
  lua_createtable(L, argc - script, script + 1);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

static int run(lua_State *L, int argc, char **argv)
{
  int script = 1;
  while (script + 1 < argc &&
         (strcmp(argv[script], "-e") == 0 || strcmp(argv[script], "-l") == 0)) {
    script += 2;
  }
  set_arg(L, argc, argv, script < argc ? script : 0);

  for (int i = 1; i < script; i += 2) {
    int status = LUA_OK;
    if (strcmp(argv[i], "-e") == 0) {
      status = call(L, luaL_loadbuffer(L, argv[i + 1], strlen(argv[i + 1]), "=(command line)"), 0);
    } else {
      lua_getglobal(L, "require");
      lua_pushstring(L, argv[i + 1]);
      status = call(L, LUA_OK, 1);
    }
    if (status != LUA_OK) {
      return status;
    }
  }

  if (script >= argc && script > 1) {
    return LUA_OK;
  }
  const char *file = script < argc && strcmp(argv[script], "-") != 0 ? argv[script] : NULL;
  int status = luaL_loadfile(L, file);
  int arguments = 0;
  for (int i = script + 1; status == LUA_OK && i < argc; i++, arguments++) {
    luaL_checkstack(L, 1, "too many arguments");
    lua_pushstring(L, argv[i]);
  }
  return call(L, status, arguments);
}

int main(int argc, char **argv)
{
  lua_State *L = luaL_newstate();
  if (L == NULL) {
    return 1;
  }
  luaL_openlibs(L);
  lua_gc(L, LUA_GCGEN, 0, 0);
  int status = run(L, argc, argv);
  lua_close(L);
  return status == LUA_OK ? 0 : 1;
}
