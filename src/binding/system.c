#include "system.h"

#include "../core/pipe.h"
#include "../core/self.h"
#include "object.h"

#include <ctype.h>
#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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
    return cp_push_failure(L, r);
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

/* resetInterrupt(): SIGINT has its default effect from now on. */
static int system_reset_interrupt(lua_State *L)
{
  (void)L;
  signal(SIGINT, SIG_DFL);
  return 0;
}

/* platform() -> the name of the operating system */
static int system_platform(lua_State *L)
{
  uv_utsname_t names;

  if (uv_os_uname(&names) < 0) {
    return 0;
  }
  for (char *letter = names.sysname; *letter != '\0'; letter++) {
    *letter = (char)tolower((unsigned char)*letter);
  }
  lua_pushstring(L, names.sysname);
  return 1;
}

/* title() -> the name of the process, or nil where the system does not tell */
static int system_title(lua_State *L)
{
  char title[CP_SELF_TITLE_SIZE + 1];
  ssize_t length = cp_self_title(title);

  if (length < 0) {
    return 0;
  }
  lua_pushlstring(L, title, (size_t)length);
  return 1;
}

/* setTitle(text): what is too long is cut off, and where it cannot be set nothing happens. */
static int system_set_title(lua_State *L)
{
  (void)cp_self_set_title(luaL_checkstring(L, 1));
  return 0;
}

/* hrtime() -> nanoseconds of a clock that never goes back */
static int system_hrtime(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)uv_hrtime());
  return 1;
}

/* startTime() -> when the process began, on the clock of hrtime; where the system does not tell, when
 * this module was loaded. */
static int system_start_time(lua_State *L)
{
  uint64_t time = 0;

  if (cp_self_start_time(&time) < 0) {
    lua_pushvalue(L, lua_upvalueindex(1));
  } else {
    lua_pushinteger(L, (lua_Integer)time);
  }
  return 1;
}

/* residentMemory() -> bytes, or nil, errno */
static int system_resident_memory(lua_State *L)
{
  size_t size = 0;
  int r = uv_resident_set_memory(&size);

  if (r < 0) {
    return cp_push_failure(L, r);
  }
  lua_pushinteger(L, (lua_Integer)size);
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

void cp_system_functions(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"getenv", system_getenv},
      {"setenv", system_setenv},
      {"environ", system_environ},
      {"cwd", system_cwd},
      {"chdir", system_chdir},
      {"execPath", system_exec_path},
      {"pid", system_pid},
      {"ppid", system_ppid},
      {"kill", system_kill},
      {"resetInterrupt", system_reset_interrupt},
      {"platform", system_platform},
      {"title", system_title},
      {"setTitle", system_set_title},
      {"residentMemory", system_resident_memory},
      {"hrtime", system_hrtime},
      {"isatty", system_isatty},
      {"writeAll", system_write_all},
      {"fileOf", system_file_of},
      {NULL, NULL},
  };

  luaL_setfuncs(L, functions, 0);
  lua_pushinteger(L, (lua_Integer)uv_hrtime());
  lua_pushcclosure(L, system_start_time, 1);
  lua_setfield(L, -2, "startTime");
}
