/* Reads the program to start from a Lua table, and pushes the reason if it could not be started. */
#include "binding/spawn_arguments.h"

#include "binding/numbers.h"
#include "binding/parts.h"
#include "binding/spawn_attributes.h"
#include "binding/terminal.h"
#include "compat/lua.h"
#include "core/base/assert.h"
#include "core/process/spawn_obstacle.h"

#include <limits.h>
#include <stdint.h>

/* Reads the sequence on top of the stack into a list of strings that ends with NULL. The list is
 * `inline_strings` if it fits there, otherwise a userdata that stays on the stack. */
static char **read_strings(lua_State *L, char **inline_strings, lua_Integer inline_count)
{
  int list = lua_gettop(L);
  char **strings = inline_strings;
  lua_Integer count = 0;

  luaL_checktype(L, list, LUA_TTABLE);
  count = (lua_Integer)lua_rawlen(L, list);
  if (count >= inline_count) {
    strings = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof(*strings), 0);
  }
  for (lua_Integer i = 0; i < count; i++) {
    lua_rawgeti(L, list, i + 1);
    luaL_checktype(L, -1, LUA_TSTRING); /* the text of a number would not live long enough */
    strings[i] = (char *)(uintptr_t)lua_tostring(L, -1);
    lua_pop(L, 1);
  }
  strings[count] = NULL;
  return strings;
}

static bool read_id(lua_State *L, int index, const char *name, unsigned *id)
{
  bool given = lua_getfield(L, index, name) != LUA_TNIL;

  *id = given ? (unsigned)luaL_checkinteger(L, -1) : 0;
  lua_pop(L, 1);
  return given;
}

/* In Lua an entry is one integer: a descriptor of ours, or a kind as a negative number. The last
 * kind, CP_STDIO_CHILD_FD, has many numbers: the first minus the child's descriptor. */
static lua_Integer number_of_kind(cp_stdio_kind kind)
{
  return ~(lua_Integer)kind;
}

static cp_stdio read_entry(lua_State *L, int index)
{
  int number = cpl_check_int(L, index);

  if (number >= 0) {
    return (cp_stdio){CP_STDIO_DESCRIPTOR, number, -1};
  }
  if (~number >= CP_STDIO_CHILD_FD) {
    return (cp_stdio){CP_STDIO_CHILD_FD, ~number - CP_STDIO_CHILD_FD, -1};
  }
  return (cp_stdio){(cp_stdio_kind)~number, -1, -1};
}

static void read_stdio(lua_State *L, int index, cpl_spawn_arguments *arguments)
{
  cp_stdio *entries = arguments->inline_stdio;
  int count = 0;

  lua_getfield(L, index, "stdio");
  luaL_checktype(L, -1, LUA_TTABLE);
  count = (int)lua_rawlen(L, -1);
  if (count > CPL_INLINE_DESCRIPTORS) {
    entries = lua_newuserdatauv(L, (size_t)count * sizeof(*entries), 0);
    lua_insert(L, -2);
  }
  for (int i = 0; i < count; i++) {
    lua_rawgeti(L, -1, i + 1);
    entries[i] = read_entry(L, -1);
    arguments->has_handles = arguments->has_handles || cp_stdio_is_pipe(&entries[i]);
    lua_pop(L, 1);
  }
  arguments->options.stdio = entries;
  arguments->options.stdio_count = count;
}

/* Reads the value on top of the stack, and pops it. */
static void read_terminal(lua_State *L, cpl_spawn_arguments *arguments)
{
  if (!lua_isnil(L, -1)) {
    cpl_terminal_read(L, &arguments->terminal);
    arguments->options.terminal = &arguments->terminal;
    arguments->options.detached = true;
    arguments->has_handles = !arguments->terminal.is_shared;
  }
  lua_pop(L, 1);
}

/* Reads the table on top of the stack. */
static void read_attributes(lua_State *L, cpl_spawn_arguments *arguments)
{
  cp_spawn_options *options = &arguments->options;

  lua_getfield(L, -1, "terminal");
  read_terminal(L, arguments);
  if (lua_getfield(L, -1, "processGroup") != LUA_TNIL) {
    options->set_process_group = true;
    options->process_group = (pid_t)cpl_check_int(L, -1);
  }
  lua_getfield(L, -2, "killOnParentExit");
  options->kill_on_parent_exit = lua_toboolean(L, -1);
  lua_getfield(L, -3, "terminalForeground");
  options->no_terminal_signals = !lua_isnil(L, -1) && !lua_toboolean(L, -1);
  lua_pop(L, 3);
  options->attributes = cpl_spawn_attributes_read(L);
}

void cpl_spawn_arguments_read(lua_State *L, int index, cpl_spawn_arguments *arguments)
{
  cp_spawn_options *options = &arguments->options;

  *options = (cp_spawn_options){0};
  arguments->has_handles = false;
  arguments->terminal = (cp_terminal){.ours = -1, .theirs = -1};
  luaL_checktype(L, index, LUA_TTABLE);
  luaL_checkstack(L, 24, NULL);
  lua_getfield(L, index, "file");
  options->file = luaL_checkstring(L, -1);
  lua_getfield(L, index, "cwd");
  options->cwd = lua_tostring(L, -1);
  lua_getfield(L, index, "detached");
  options->detached = lua_toboolean(L, -1);
  lua_getfield(L, index, "tree");
  options->tree = lua_toboolean(L, -1);
  lua_getfield(L, index, "args");
  options->args = read_strings(L, arguments->inline_strings, CPL_INLINE_STRINGS);
  if (lua_getfield(L, index, "env") != LUA_TNIL) {
    options->env = read_strings(L, NULL, 0);
  }
  options->set_uid = read_id(L, index, "uid", &options->uid);
  options->set_gid = read_id(L, index, "gid", &options->gid);
  if (lua_getfield(L, index, "attributes") != LUA_TNIL) {
    read_attributes(L, arguments);
  }
  read_stdio(L, index, arguments);
  cp_spawn_choose_group(options);
}

/* Adds the fields obstacle and path to the table on top of the stack. */
static void push_obstacle(lua_State *L, const cp_spawn_options *options, int error)
{
  static const char *const names[] = {
      [CP_OBSTACLE_DIRECTORY] = "directory",
      [CP_OBSTACLE_MODE] = "mode",
      [CP_OBSTACLE_INTERPRETER] = "interpreter",
  };
  char path[PATH_MAX];
  cp_spawn_obstacle obstacle = cp_spawn_find_obstacle(options, error, path, sizeof(path));

  if (obstacle != CP_OBSTACLE_NONE) {
    lua_pushstring(L, names[obstacle]);
    lua_setfield(L, -2, "obstacle");
    lua_pushstring(L, path);
    lua_setfield(L, -2, "path");
  }
}

int cpl_spawn_arguments_push_failure(lua_State *L, const cpl_spawn_arguments *arguments,
                                     const cp_spawn_failure *failure)
{
  static const char *const steps[] = {
      [CP_STEP_PREPARE] = "prepare",
      [CP_STEP_GUARD] = "killOnParentExit",
      [CP_STEP_PROCESS_GROUP] = "processGroup",
      [CP_STEP_TERMINAL] = "terminal",
      [CP_STEP_STDIO] = "stdio",
      [CP_STEP_CWD] = "cwd",
      [CP_STEP_LIMITS] = "limits",
      [CP_STEP_NICE] = "nice",
      [CP_STEP_AFFINITY] = "affinity",
      [CP_STEP_GROUPS] = "groups",
      [CP_STEP_GID] = "gid",
      [CP_STEP_UID] = "uid",
      [CP_STEP_NO_NEW_PRIVILEGES] = "noNewPrivileges",
      [CP_STEP_EXECUTE] = "execute",
  };

  CP_ASSERT(failure->error < 0 && failure->step <= CP_STEP_EXECUTE && steps[failure->step] != NULL);
  lua_pushnil(L);
  lua_pushinteger(L, failure->error);
  lua_createtable(L, 0, 3);
  lua_pushstring(L, steps[failure->step]);
  lua_setfield(L, -2, "step");
  if (failure->step == CP_STEP_STDIO && failure->fd != -1) {
    lua_pushinteger(L, failure->fd);
    lua_setfield(L, -2, "fd");
  } else if (failure->step == CP_STEP_LIMITS || failure->step == CP_STEP_AFFINITY) {
    lua_pushinteger(L, failure->position + 1);
    lua_setfield(L, -2, "position");
  } else if (failure->step == CP_STEP_EXECUTE) {
    push_obstacle(L, &arguments->options, failure->error);
  }
  return 3;
}

/* stdio.direction(kind, fd) -> whether we read from a pipe of this kind at the child's descriptor,
 * and whether we write to it. */
static int stdio_direction(lua_State *L)
{
  lua_Integer number = luaL_checkinteger(L, 1);
  int direction = 0;

  luaL_argcheck(
      L, number == number_of_kind(CP_STDIO_PIPE) || number == number_of_kind(CP_STDIO_DUPLEX), 1,
      "not a kind of pipe");
  direction = cp_stdio_direction((cp_stdio_kind)~number, cpl_check_int(L, 2));
  lua_pushboolean(L, (direction & CP_STDIO_READ) != 0);
  lua_pushboolean(L, (direction & CP_STDIO_WRITE) != 0);
  return 2;
}

void cpl_add_spawn_arguments(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"direction", stdio_direction},
      {NULL, NULL},
  };

  luaL_newlib(L, functions);
  lua_pushinteger(L, number_of_kind(CP_STDIO_IGNORE));
  lua_setfield(L, -2, "IGNORE");
  lua_pushinteger(L, number_of_kind(CP_STDIO_PIPE));
  lua_setfield(L, -2, "PIPE");
  lua_pushinteger(L, number_of_kind(CP_STDIO_DUPLEX));
  lua_setfield(L, -2, "DUPLEX");
  lua_pushinteger(L, number_of_kind(CP_STDIO_TERMINAL));
  lua_setfield(L, -2, "TERMINAL");
  lua_pushinteger(L, number_of_kind(CP_STDIO_CHILD_FD));
  lua_setfield(L, -2, "CHILD_FD");
  lua_setfield(L, -2, "stdio");
}
