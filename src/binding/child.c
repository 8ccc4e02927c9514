#include "child.h"

#include "../core/pipe.h"
#include "../core/reap.h"
#include "../core/stream.h"
#include "anchor.h"
#include "channel.h"
#include "object.h"
#include "spawn_arguments.h"
#include "state.h"
#include "stream.h"

#include <unistd.h>

static const char CLASS[] = "ChildProcess";

/* How many fields child.lua sets, so that their table need not grow. */
enum { USUAL_FIELDS = 12 };

typedef struct child_process {
  cp_child core;
  cp_state *state;
  cp_anchor anchor;
} child_process;

static child_process *check_child(lua_State *L)
{
  return cp_object_check(L, 1, CLASS);
}

typedef struct exit_event {
  const child_process *child;
  cp_exit_status status;
} exit_event;

static int call_on_exit(lua_State *L)
{
  const exit_event *event = lua_touserdata(L, 1);

  cp_anchor_push(L, event->child->anchor);
  if (event->status.signum == 0) {
    lua_pushinteger(L, event->status.code);
    lua_pushnil(L);
  } else {
    lua_pushnil(L);
    lua_pushinteger(L, event->status.signum);
  }
  cp_state_dispatch(L, "onexit", 2);
  return 0;
}

static void on_exit_status(void *owner, cp_exit_status status)
{
  child_process *child = owner;
  exit_event event = {child, status};

  cp_state_call(child->state, call_on_exit, &event);
  cp_anchor_release(child->state->callbacks, &child->anchor);
}

/* new() -> a child that nothing was started for yet. */
static int child_new(lua_State *L)
{
  child_process *child = cp_object_new(L, CLASS, sizeof(*child));

  child->state = cp_state_check(L);
  child->anchor = LUA_NOREF;
  lua_createtable(L, 0, USUAL_FIELDS);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

static int child_gc(lua_State *L)
{
  child_process *child = lua_touserdata(L, 1);

  cp_child_release(&child->core);
  return 0;
}

/* Leaving the block of a to-be-closed variable kills the child. */
static int child_close(lua_State *L)
{
  lua_getfield(L, 1, "kill");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 0);
  return 0;
}

static int child_tostring(lua_State *L)
{
  lua_getfield(L, 1, "pid");
  if (lua_isnil(L, -1)) {
    lua_pushstring(L, CLASS);
  } else {
    lua_pushfstring(L, "%s (pid %d)", CLASS, (int)lua_tointeger(L, -1));
  }
  return 1;
}

/* Pushes a handle on our end of a new pipe. */
static void push_handle(lua_State *L, cp_state *state, const cp_spawn_arguments *arguments, int i)
{
  int fd = arguments->ours[i];

  if (i == arguments->channel) {
    cp_channel_handle_push(L, state, fd);
  } else if (i == STDIN_FILENO) {
    cp_stream_handle_push(L, state, fd, CP_STREAM_WRITABLE);
  } else if (i <= STDERR_FILENO) {
    cp_stream_handle_push(L, state, fd, CP_STREAM_READABLE);
  } else {
    cp_stream_handle_push(L, state, fd, CP_STREAM_READABLE | CP_STREAM_WRITABLE);
  }
}

/* Pushes a table with a handle for each new pipe, by the child's descriptor. */
static int push_handles(lua_State *L)
{
  cp_spawn_arguments *arguments = lua_touserdata(L, 1);
  cp_state *state = lua_touserdata(L, 2);

  lua_createtable(L, arguments->options.fd_count, 1);
  for (int i = 0; i < arguments->options.fd_count; i++) {
    if (arguments->ours[i] != -1) {
      push_handle(L, state, arguments, i);
      arguments->ours[i] = -1;
      lua_rawseti(L, -2, i);
    }
  }
  return 1;
}

/* child:start(options) -> pid, handles (nil if there are no pipes); or nil, errno. Options as in
 * spawn_arguments.h. Later calls child:onexit(code, nil) or child:onexit(nil, signum). */
static int child_start(lua_State *L)
{
  child_process *child = check_child(L);
  cp_state *state = cp_state_check(L);
  cp_spawn_arguments arguments;
  int r = 0;

  luaL_argcheck(L, child->core.loop == NULL, 1, "was started already");
  cp_spawn_arguments_read(L, 2, &arguments);
  /* Nothing that is open or running may be lost to an error, so what can raise comes before or is
   * protected. */
  cp_anchor_set(L, &child->anchor, 1, true);
  r = cp_pipe_open_each(arguments.fds, arguments.ours, arguments.options.fd_count);
  if (r == 0) {
    r = cp_child_start(&child->core, &state->loop, &arguments.options, on_exit_status, child);
  }
  cp_pipe_close_theirs(arguments.fds, arguments.ours, arguments.options.fd_count);
  if (r < 0) {
    cp_pipe_close_ours(arguments.ours, arguments.options.fd_count);
    cp_anchor_release(L, &child->anchor);
    return cp_push_failure(L, r);
  }

  lua_pushinteger(L, child->core.pid);
  if (!arguments.has_pipes) {
    return 1;
  }
  lua_pushcfunction(L, push_handles);
  lua_pushlightuserdata(L, &arguments);
  lua_pushlightuserdata(L, state);
  if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
    cp_pipe_close_ours(arguments.ours, arguments.options.fd_count);
    return lua_error(L);
  }
  return 2;
}

/* fields(child) -> the table of the fields that were set on it. */
static int child_fields(lua_State *L)
{
  check_child(L);
  lua_getiuservalue(L, 1, 1);
  return 1;
}

/* child:signal(signum) -> nil, or the negative errno. */
static int child_signal(lua_State *L)
{
  return cp_push_errno(L, cp_child_kill(&check_child(L)->core, cp_check_int(L, 2)));
}

/* child:reference(on): whether the child's running keeps the loop alive. */
static int child_reference(lua_State *L)
{
  cp_child_reference(&check_child(L)->core, lua_toboolean(L, 2));
  return 0;
}

void cp_child_functions(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", child_gc},
      {"__close", child_close},
      {"__tostring", child_tostring},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"start", child_start},
      {"signal", child_signal},
      {"reference", child_reference},
      {NULL, NULL},
  };

  cp_object_open_class(L, CLASS, metamethods, methods);
  lua_pushcfunction(L, child_new);
  lua_setfield(L, -2, "new");
  lua_setfield(L, -2, "ChildProcess");
  lua_pushcfunction(L, child_fields);
  lua_setfield(L, -2, "fields");
}
