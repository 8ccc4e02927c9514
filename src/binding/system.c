/* Single calls of the system for the process object. */
#include "binding/numbers.h"
#include "binding/parts.h"
#include "compat/lua.h"
#include "core/base/fd.h"
#include "core/loop/fork.h"
#include "core/process/exit_warning.h"
#include "core/sys/own_process.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

static const uint64_t NANOSECONDS = 1000000000; /* in a second */

/* getenv(name) -> value or nil */
static int system_getenv(lua_State *L)
{
  lua_pushstring(L, getenv(luaL_checkstring(L, 1)));
  return 1;
}

/* setenv(name, value) -> errno. nil removes the variable. */
static int system_setenv(lua_State *L)
{
  const char *name = luaL_checkstring(L, 1);
  int r = lua_isnoneornil(L, 2) ? unsetenv(name) : setenv(name, luaL_checkstring(L, 2), 1);

  return cpl_push_errno(L, r == -1 ? -errno : 0);
}

/* environ() -> sequence of "KEY=value" */
static int system_environ(lua_State *L)
{
  char **environment = cp_own_process_environment();

  lua_newtable(L);
  for (int i = 0; environment != NULL && environment[i] != NULL; i++) {
    lua_pushstring(L, environment[i]);
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
    return cpl_push_failure(L, r);
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
  return cpl_push_errno(L, uv_chdir(luaL_checkstring(L, 1)));
}

/* execPath() -> path of the running program, or nil, errno */
static int system_exec_path(lua_State *L)
{
  return push_path(L, uv_exepath);
}

/* pid() -> process id */
static int system_pid(lua_State *L)
{
  lua_pushinteger(L, getpid());
  return 1;
}

/* forkDepth() -> the number of forks between the first process and this one. A value from before a
 * fork differs. */
static int system_fork_depth(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)cp_fork_depth);
  return 1;
}

/* ppid() -> process id of the parent */
static int system_ppid(lua_State *L)
{
  lua_pushinteger(L, getppid());
  return 1;
}

/* kill(pid, signum) -> errno: sends a signal. */
static int system_kill(lua_State *L)
{
  return cpl_push_errno(L, uv_kill(cpl_check_int(L, 1), cpl_check_int(L, 2)));
}

/* exit(status): closes the Lua state and ends the process, like os.exit(status, true), which Lua
 * 5.1 lacks. */
static int system_exit(lua_State *L)
{
  int status = cpl_check_int(L, 1);

  lua_close(L);
  exit(status);
}

/* resetInterrupt(): restores the default effect of SIGINT. */
static int system_reset_interrupt(lua_State *L)
{
  (void)L;
  signal(SIGINT, SIG_DFL);
  return 0;
}

/* platform() -> name of the operating system in lower case, like "linux" */
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

/* title() -> the name of the process, or nil if the system does not report it */
static int system_title(lua_State *L)
{
  char title[CP_OWN_PROCESS_TITLE_SIZE + 1];
  ssize_t length = cp_own_process_title(title);

  if (length < 0) {
    return 0;
  }
  lua_pushlstring(L, title, (size_t)length);
  return 1;
}

/* setTitle(text): truncates a text that is too long, and does nothing on systems without titles. */
static int system_set_title(lua_State *L)
{
  (void)cp_own_process_set_title(luaL_checkstring(L, 1));
  return 0;
}

/* hrtime() -> seconds and nanoseconds of a monotonic clock */
static int system_hrtime(lua_State *L)
{
  uint64_t now = uv_hrtime();

  lua_pushinteger(L, (lua_Integer)(now / NANOSECONDS));
  lua_pushinteger(L, (lua_Integer)(now % NANOSECONDS));
  return 2;
}

/* startTime() -> seconds, on the clock of hrtime, at which the process started; if the system does
 * not report it, at which this module was loaded */
static int system_start_time(lua_State *L)
{
  uint64_t time = 0;

  if (cp_own_process_start_time(&time) < 0) {
    lua_pushvalue(L, lua_upvalueindex(1));
  } else {
    lua_pushnumber(L, (lua_Number)time / (lua_Number)NANOSECONDS);
  }
  return 1;
}

/* residentMemory() -> resident set size in bytes, or nil, errno */
static int system_resident_memory(lua_State *L)
{
  size_t size = 0;
  int r = uv_resident_set_memory(&size);

  if (r < 0) {
    return cpl_push_failure(L, r);
  }
  lua_pushinteger(L, (lua_Integer)size);
  return 1;
}

/* isatty(fd) -> whether it is a terminal */
static int system_isatty(lua_State *L)
{
  lua_pushboolean(L, isatty(cpl_check_int(L, 1)));
  return 1;
}

/* writeAll(fd, bytes) -> errno: see cp_fd_write_all. */
static int system_write_all(lua_State *L)
{
  size_t length = 0;
  const char *bytes = luaL_checklstring(L, 2, &length);

  return cpl_push_errno(L, cp_fd_write_all(cpl_check_int(L, 1), bytes, length));
}

/* fileOf(file) -> descriptor of a Lua file; nil if it is closed or the value is not a file */
static int system_file_of(lua_State *L)
{
  FILE *file = cp_lua_to_file(L, 1);

  if (file == NULL) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, fileno(file));
  }
  return 1;
}

/* setExitWarning(text): sets a text to write to stderr when the process ends with status 0. */
static int system_set_exit_warning(lua_State *L)
{
  cp_exit_warning_set(luaL_checkstring(L, 1));
  return 0;
}

void cpl_add_system(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"getenv", system_getenv},
      {"setenv", system_setenv},
      {"environ", system_environ},
      {"cwd", system_cwd},
      {"chdir", system_chdir},
      {"execPath", system_exec_path},
      {"forkDepth", system_fork_depth},
      {"pid", system_pid},
      {"ppid", system_ppid},
      {"kill", system_kill},
      {"exit", system_exit},
      {"resetInterrupt", system_reset_interrupt},
      {"platform", system_platform},
      {"title", system_title},
      {"setTitle", system_set_title},
      {"residentMemory", system_resident_memory},
      {"hrtime", system_hrtime},
      {"isatty", system_isatty},
      {"writeAll", system_write_all},
      {"fileOf", system_file_of},
      {"setExitWarning", system_set_exit_warning},
      {NULL, NULL},
  };

  luaL_setfuncs(L, functions, 0);
  lua_pushnumber(L, (lua_Number)uv_hrtime() / (lua_Number)NANOSECONDS);
  lua_pushcclosure(L, system_start_time, 1);
  lua_setfield(L, -2, "startTime");
}
