/* Makes the pipes to a child, and the handles on our ends of them. */
#include "binding/child_pipes.h"

#include "binding/channel.h"
#include "binding/parts.h"
#include "binding/stack.h"
#include "binding/stream.h"
#include "binding/terminal.h"
#include "core/process/spawn.h"
#include "core/stream/stream.h"

/* Pushes a handle on our end of a new pipe, at the child's descriptor `fd`, and makes the handle
 * its owner. */
static void push_handle(lua_State *L, cpl_state *state, cp_stdio *entry, int fd)
{
  int direction = cp_stdio_direction(entry->kind, fd);

  if (entry->kind == CP_STDIO_DUPLEX) {
    cpl_channel_push(L, state, entry->ours);
  } else {
    cpl_stream_push(L, state, entry->ours,
                    CP_STREAM_TO_CHILD |
                        ((direction & CP_STDIO_READ) != 0 ? CP_STREAM_READABLE : 0) |
                        ((direction & CP_STDIO_WRITE) != 0 ? CP_STREAM_WRITABLE : 0));
  }
  entry->ours = -1;
}

/* Pushes a table from the child's descriptors to handles, one for each new pipe, and from
 * "terminal" to that of a new terminal. The handles own their descriptors. */
static int push_handles(lua_State *L)
{
  cpl_spawn_arguments *arguments = lua_touserdata(L, 1);
  cpl_state *state = lua_touserdata(L, 2);
  CPL_STACK_NOTE(L);

  lua_createtable(L, arguments->options.stdio_count, 1);
  if (arguments->terminal.ours != -1) {
    cpl_terminal_push(L, state, &arguments->terminal);
    lua_setfield(L, -2, "terminal");
  }
  for (int fd = 0; fd < arguments->options.stdio_count; fd++) {
    if (cp_stdio_is_pipe(&arguments->options.stdio[fd])) {
      push_handle(L, state, &arguments->options.stdio[fd], fd);
      lua_rawseti(L, -2, fd);
    }
  }
  CPL_STACK_ASSERT(L, 1);
  return 1;
}

int cpl_child_pipes_open(lua_State *L, cpl_state *state, cpl_spawn_arguments *arguments,
                         cp_spawn_failure *failure)
{
  int count = arguments->options.stdio_count;
  int r = cp_spawn_open_ends(&arguments->options, failure);

  if (r == 0 && !arguments->has_handles) {
    lua_pushnil(L);
    return 0;
  }
  if (r == 0) {
    lua_pushcfunction(L, push_handles);
    lua_pushlightuserdata(L, arguments);
    lua_pushlightuserdata(L, state);
    r = lua_pcall(L, 2, 1, 0) == LUA_OK ? 0 : CPL_CHILD_PIPES_RAISED;
  }
  if (r != 0) {
    cp_stdio_close_theirs(arguments->options.stdio, count);
    cp_stdio_close_ours(arguments->options.stdio, count);
    cp_terminal_close(&arguments->terminal);
  }
  return r;
}

void cpl_child_pipes_close(lua_State *L)
{
  if (lua_isnil(L, -1)) {
    return;
  }
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    /* handles, key, handle */
    lua_getfield(L, -1, "close");
    lua_insert(L, -2);
    lua_call(L, 1, 0);
  }
}

void cpl_add_child_pipes(lua_State *L)
{
  cp_lua_keep_function(L, push_handles);
}
