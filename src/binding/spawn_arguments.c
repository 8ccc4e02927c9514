#include "spawn_arguments.h"

#include "../core/pipe.h"
#include "object.h"

#include <stdint.h>
#include <unistd.h>

/* The strings of the sequence on top of the stack, with NULL at the end: in `inline_strings` if they fit there,
 * else in a userdata that is left on the stack. */
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
    luaL_checktype(L, -1, LUA_TSTRING); /* a number's text would be gone with it */
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

static void read_descriptors(lua_State *L, int index, cp_spawn_arguments *arguments)
{
  bool *set_blocking = arguments->inline_blocking;
  int count = 0;
  size_t size = 0;

  lua_getfield(L, index, "stdio");
  luaL_checktype(L, -1, LUA_TTABLE);
  count = (int)lua_rawlen(L, -1);
  size = (size_t)count;
  arguments->fds = arguments->inline_descriptors;
  if (count > CP_INLINE_DESCRIPTORS) {
    arguments->fds = lua_newuserdatauv(L, size * (2 * sizeof(int) + sizeof(bool)), 0);
    set_blocking = (bool *)(arguments->fds + 2 * size);
    lua_insert(L, -2);
  }
  arguments->ours = arguments->fds + count;
  for (int i = 0; i < count; i++) {
    lua_rawgeti(L, -1, i + 1);
    arguments->fds[i] = cp_check_int(L, -1);
    /* Programs do not expect a standard stream to be non-blocking, as streams of ours are; what we have
     * at 0 to 2 is not changed for it. */
    set_blocking[i] = i <= STDERR_FILENO && arguments->fds[i] > STDERR_FILENO;
    if (arguments->fds[i] == CP_PIPE_NEW_DUPLEX) {
      arguments->channel = i;
      arguments->has_pipes = true;
    } else if (arguments->fds[i] == CP_PIPE_NEW) {
      arguments->has_pipes = true;
    }
    lua_pop(L, 1);
  }
  arguments->options.fds = arguments->fds;
  arguments->options.fd_count = count;
  arguments->options.set_blocking = set_blocking;
}

void cp_spawn_arguments_read(lua_State *L, int index, cp_spawn_arguments *arguments)
{
  cp_spawn_options *options = &arguments->options;

  *options = (cp_spawn_options){0};
  arguments->has_pipes = false;
  arguments->channel = -1;
  luaL_checktype(L, index, LUA_TTABLE);
  luaL_checkstack(L, 16, NULL);
  lua_getfield(L, index, "file");
  options->file = luaL_checkstring(L, -1);
  lua_getfield(L, index, "cwd");
  options->cwd = lua_tostring(L, -1);
  lua_getfield(L, index, "detached");
  options->detached = lua_toboolean(L, -1);
  lua_getfield(L, index, "args");
  options->args = read_strings(L, arguments->inline_strings, CP_INLINE_STRINGS);
  if (lua_getfield(L, index, "env") != LUA_TNIL) {
    options->env = read_strings(L, NULL, 0);
  }
  options->set_uid = read_id(L, index, "uid", &options->uid);
  options->set_gid = read_id(L, index, "gid", &options->gid);
  read_descriptors(L, index, arguments);
}

void cp_spawn_arguments_constants(lua_State *L)
{
  lua_pushinteger(L, CP_SPAWN_IGNORE);
  lua_setfield(L, -2, "IGNORE");
  lua_pushinteger(L, CP_PIPE_NEW);
  lua_setfield(L, -2, "NEW_PIPE");
  lua_pushinteger(L, CP_PIPE_NEW_DUPLEX);
  lua_setfield(L, -2, "NEW_CHANNEL");
}
