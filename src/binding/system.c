#include "system.h"

#include "../core/pipe.h"
#include "object.h"

#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

extern char **environ;

/* getenv(name) -> value or nil */
static int system_getenv(lua_State *L)
{
  lua_pushstring(L, getenv(luaL_checkstring(L, 1)));
  return 1;
}

/* setenv(name, value) -> errno; value nil removes it. */
static int system_setenv(lua_State *L)
{
  const char *name = luaL_checkstring(L, 1);
  int r = lua_isnoneornil(L, 2) ? unsetenv(name) : setenv(name, luaL_checkstring(L, 2), 1);

  return cp_push_errno(L, r == -1 ? -errno : 0);
}

/* environ() -> sequence of "KEY=value" */
static int system_environ(lua_State *L)
{
  lua_newtable(L);
  for (int i = 0; environ != NULL && environ[i] != NULL; i++) {
    lua_pushstring(L, environ[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

static int push_path(lua_State *L, int (*get)(char *, size_t *))
{
  char path[PATH_MAX];
  size_t size = sizeof(path);
  int r = get(path, &size);

  if (r < 0) {
    lua_pushnil(L);
    lua_pushinteger(L, r);
    return 2;
  }
  lua_pushlstring(L, path, size);
  return 1;
}

/* cwd() -> path, or nil, errno */
static int system_cwd(lua_State *L)
{
  return push_path(L, uv_cwd);
}

/* chdir(path) -> errno */
static int system_chdir(lua_State *L)
{
  return cp_push_errno(L, uv_chdir(luaL_checkstring(L, 1)));
}

/* execPath() -> the program that is running, or nil, errno */
static int system_exec_path(lua_State *L)
{
  return push_path(L, uv_exepath);
}

/* pid() */
static int system_pid(lua_State *L)
{
  lua_pushinteger(L, getpid());
  return 1;
}

/* ppid() */
static int system_ppid(lua_State *L)
{
  lua_pushinteger(L, getppid());
  return 1;
}

/* kill(pid, signum) -> errno */
static int system_kill(lua_State *L)
{
  return cp_push_errno(L, uv_kill(cp_check_int(L, 1), cp_check_int(L, 2)));
}

/* hrtime() -> nanoseconds of a clock that never goes back */
static int system_hrtime(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)uv_hrtime());
  return 1;
}

/* isatty(fd) */
static int system_isatty(lua_State *L)
{
  lua_pushboolean(L, isatty(cp_check_int(L, 1)));
  return 1;
}

/* writeAll(fd, bytes) -> errno: see core/pipe.h. */
static int system_write_all(lua_State *L)
{
  size_t length = 0;
  const char *bytes = luaL_checklstring(L, 2, &length);

  return cp_push_errno(L, cp_pipe_write_all(cp_check_int(L, 1), bytes, length));
}

/* fileOf(file) -> descriptor of a Lua file, nil if it is closed or the value is no file */
static int system_file_of(lua_State *L)
{
  const luaL_Stream *file = luaL_testudata(L, 1, LUA_FILEHANDLE);

  if (file == NULL || file->closef == NULL) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, fileno(file->f));
  }
  return 1;
}

/* Name to number and number to name, in the table on top of the stack. */
static void set_errno_name(lua_State *L, int number, const char *name)
{
  lua_pushinteger(L, number);
  lua_setfield(L, -2, name);
  lua_pushstring(L, name);
  lua_rawseti(L, -2, number);
}

static void push_errno_names(lua_State *L)
{
  static const char unknown[] = "Unknown";

  lua_newtable(L);
  for (int number = 1; number < 256; number++) {
    char name[64];

    uv_err_name_r(-number, name, sizeof(name));
    if (strncmp(name, unknown, sizeof(unknown) - 1) != 0) {
      set_errno_name(L, number, name);
    }
  }
  /* libuv has no names for these. */
  set_errno_name(L, ECHILD, "ECHILD");
  set_errno_name(L, EDQUOT, "EDQUOT");
  set_errno_name(L, ELIBBAD, "ELIBBAD");
  set_errno_name(L, ENOEXEC, "ENOEXEC");
}

void cp_system_functions(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"getenv", system_getenv},   {"setenv", system_setenv},
      {"environ", system_environ}, {"cwd", system_cwd},
      {"chdir", system_chdir},     {"execPath", system_exec_path},
      {"pid", system_pid},         {"ppid", system_ppid},
      {"kill", system_kill},       {"hrtime", system_hrtime},
      {"isatty", system_isatty},   {"writeAll", system_write_all},
      {"fileOf", system_file_of},  {NULL, NULL},
  };

  luaL_setfuncs(L, functions, 0);
  push_errno_names(L);
  lua_setfield(L, -2, "errno");
}
