#include "child.h"

#include "../core/pipe.h"
#include "../core/reap.h"
#include "../core/stream.h"
#include "anchor.h"
#include "object.h"
#include "state.h"
#include "stream.h"

#include <stdint.h>
#include <unistd.h>

#define CLASS "ChildProcess"

/* In the list of descriptors that Lua gives. */
enum { IGNORE = CP_SPAWN_IGNORE, NEW_PIPE = -2 };

/* How many fields child.lua sets, so that their table need not grow. */
enum { USUAL_FIELDS = 12 };

typedef struct child_process {
  cp_child core;
  cp_state *state;
  cp_anchor anchor;
} child_process;

static child_process *check_child(lua_State *L)
{
  return luaL_checkudata(L, 1, CLASS);
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
    lua_pushliteral(L, CLASS);
  } else {
    lua_pushfstring(L, CLASS " (pid %d)", (int)lua_tointeger(L, -1));
  }
  return 1;
}

/* What most children need: arguments with the end, and descriptors. */
enum { USUAL_STRINGS = 8, USUAL_DESCRIPTORS = 4 };

/* The options as C sees them. Where there are more than usual, the tables are userdata on the stack,
 * so that an error in between leaks nothing. The strings belong to the options table. */
typedef struct arguments {
  cp_spawn_options options;
  int *fds; /* the child's ends and the shared descriptors */
  bool *set_blocking;
  int *ours; /* our ends of new pipes, else -1 */
  bool has_pipes;
  char *usual_strings[USUAL_STRINGS];
  int usual_descriptors[2 * USUAL_DESCRIPTORS];
  bool usual_blocking[USUAL_DESCRIPTORS];
} arguments;

/* The strings of the sequence on top of the stack, with NULL at the end: in `usual` if they fit there,
 * else in a userdata that is left on the stack. */
static char **read_strings(lua_State *L, char **usual, lua_Integer most)
{
  int list = lua_gettop(L);
  char **strings = usual;
  lua_Integer count = 0;

  luaL_checktype(L, list, LUA_TTABLE);
  count = (lua_Integer)lua_rawlen(L, list);
  if (count >= most) {
    strings = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof(*strings), 0);
  }
  for (lua_Integer i = 0; i < count; i++) {
    lua_rawgeti(L, list, i + 1);
    strings[i] = (char *)(uintptr_t)luaL_checkstring(L, -1);
    lua_pop(L, 1);
  }
  strings[count] = NULL;
  return strings;
}

static bool read_id(lua_State *L, const char *name, unsigned *id)
{
  bool given = lua_getfield(L, 2, name) != LUA_TNIL;

  *id = given ? (unsigned)luaL_checkinteger(L, -1) : 0;
  lua_pop(L, 1);
  return given;
}

static void read_descriptors(lua_State *L, arguments *args)
{
  int count = 0;
  size_t size = 0;

  lua_getfield(L, 2, "stdio");
  luaL_checktype(L, -1, LUA_TTABLE);
  count = (int)lua_rawlen(L, -1);
  size = (size_t)count;
  if (count <= USUAL_DESCRIPTORS) {
    args->fds = args->usual_descriptors;
    args->set_blocking = args->usual_blocking;
  } else {
    args->fds = lua_newuserdatauv(L, size * (2 * sizeof(int) + sizeof(bool)), 0);
    args->set_blocking = (bool *)(args->fds + 2 * size);
    lua_insert(L, -2);
  }
  args->ours = args->fds + count;
  for (int i = 0; i < count; i++) {
    lua_rawgeti(L, -1, i + 1);
    args->fds[i] = cp_check_int(L, -1);
    /* Programs do not expect a standard stream to be non-blocking, and ours are. */
    args->set_blocking[i] = i <= STDERR_FILENO && args->fds[i] > STDERR_FILENO;
    args->ours[i] = -1;
    args->has_pipes = args->has_pipes || args->fds[i] == NEW_PIPE;
    lua_pop(L, 1);
  }
  args->options.fds = args->fds;
  args->options.fd_count = count;
  args->options.set_blocking = args->set_blocking;
}

static void read_options(lua_State *L, arguments *args)
{
  cp_spawn_options *options = &args->options;

  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checkstack(L, 16, NULL);
  lua_getfield(L, 2, "file");
  options->file = luaL_checkstring(L, -1);
  lua_getfield(L, 2, "cwd");
  options->cwd = lua_tostring(L, -1);
  lua_getfield(L, 2, "detached");
  options->detached = lua_toboolean(L, -1);
  lua_getfield(L, 2, "args");
  options->args = read_strings(L, args->usual_strings, USUAL_STRINGS);
  if (lua_getfield(L, 2, "env") != LUA_TNIL) {
    options->env = read_strings(L, NULL, 0);
  }
  options->set_uid = read_id(L, "uid", &options->uid);
  options->set_gid = read_id(L, "gid", &options->gid);
  read_descriptors(L, args);
}

static int open_pipes(arguments *args)
{
  int r = 0;

  for (int i = 0; i < args->options.fd_count && r == 0; i++) {
    if (args->fds[i] == NEW_PIPE) {
      args->set_blocking[i] = false;
      r = i <= STDERR_FILENO ? cp_pipe_open(i == STDIN_FILENO, &args->ours[i], &args->fds[i])
                             : cp_pipe_open_duplex(&args->ours[i], &args->fds[i]);
    }
  }
  return r;
}

static void close_their_ends(arguments *args)
{
  for (int i = 0; i < args->options.fd_count; i++) {
    if (args->ours[i] != -1) {
      args->fds[i] = cp_pipe_close(args->fds[i]);
    }
  }
}

static void close_our_ends(arguments *args)
{
  for (int i = 0; i < args->options.fd_count; i++) {
    args->ours[i] = cp_pipe_close(args->ours[i]);
  }
}

/* Pushes a table with a stream handle for each new pipe, by the child's descriptor. */
static int push_handles(lua_State *L)
{
  arguments *args = lua_touserdata(L, 1);
  cp_state *state = lua_touserdata(L, 2);

  lua_createtable(L, args->options.fd_count, 1);
  for (int i = 0; i < args->options.fd_count; i++) {
    if (args->ours[i] != -1) {
      int flags = i == STDIN_FILENO
                      ? CP_STREAM_WRITABLE
                      : CP_STREAM_READABLE | (i > STDERR_FILENO ? CP_STREAM_WRITABLE : 0);
      int fd = args->ours[i];

      args->ours[i] = -1;
      cp_stream_handle_push(L, state, fd, flags);
      lua_rawseti(L, -2, i);
    }
  }
  return 1;
}

/* child:start(options) -> pid, handles (nil if there are no pipes); or nil, errno. The fields of options: file, args (with
 * argv[0]), env ("KEY=value", nil to inherit), cwd, detached, uid, gid, and stdio: for each of
 * the child's descriptors from 0 on one of ours, IGNORE or NEW_PIPE. Later calls
 * child:onexit(code, nil) or child:onexit(nil, signum). */
static int child_start(lua_State *L)
{
  child_process *child = check_child(L);
  cp_state *state = cp_state_check(L);
  arguments args = {0};
  int r = 0;

  luaL_argcheck(L, child->core.loop == NULL, 1, "was started already");
  read_options(L, &args);
  /* Nothing that is open or running may be lost to an error, so what can raise comes before or is
   * protected. */
  cp_anchor_set(L, &child->anchor, 1, true);
  r = open_pipes(&args);
  if (r == 0) {
    r = cp_child_start(&child->core, &state->loop, &args.options, on_exit_status, child);
  }
  close_their_ends(&args);
  if (r < 0) {
    close_our_ends(&args);
    cp_anchor_release(L, &child->anchor);
    lua_pushnil(L);
    lua_pushinteger(L, r);
    return 2;
  }

  lua_pushinteger(L, child->core.pid);
  if (!args.has_pipes) {
    return 1;
  }
  lua_pushcfunction(L, push_handles);
  lua_pushlightuserdata(L, &args);
  lua_pushlightuserdata(L, state);
  if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
    close_our_ends(&args);
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
  lua_pushinteger(L, IGNORE);
  lua_setfield(L, -2, "IGNORE");
  lua_pushinteger(L, NEW_PIPE);
  lua_setfield(L, -2, "NEW_PIPE");
}
