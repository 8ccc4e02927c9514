/* core.runSync: runs a program to its end, while the thread waits. */
#include "core/process/sync.h"

#include "binding/numbers.h"
#include "binding/parts.h"
#include "binding/spawn_arguments.h"
#include "binding/state.h"
#include "binding/string_buffer.h"
#include "binding/usage.h"
#include "compat/lua.h"

#include <unistd.h>

/* The state of one call of runSync. */
typedef struct sync_call {
  cpl_spawn_arguments arguments;
  cp_sync_options options;
  cp_sync_result result;
  cp_sync_output *outputs; /* by the child's descriptor */
  cp_sync_output inline_outputs[CPL_INLINE_DESCRIPTORS];
} sync_call;

/* Reads the table at `index`, or raises. */
static void read_call(lua_State *L, int index, size_t string_header, sync_call *call)
{
  size_t count = 0;

  cpl_spawn_arguments_read(L, index, &call->arguments);
  call->options.spawn = call->arguments.options;
  lua_getfield(L, index, "input");
  call->options.input = lua_tolstring(L, -1, &call->options.input_length);
  lua_getfield(L, index, "maxBuffer");
  call->options.max_buffer = cpl_check_size(L, -1);
  lua_getfield(L, index, "timeout");
  call->options.timeout = luaL_optinteger(L, -1, 0);
  lua_getfield(L, index, "killSignal");
  call->options.kill_signal = cpl_check_int(L, -1);
  lua_getfield(L, index, "forceKillAfterDelay");
  call->options.force_kill_after = luaL_optinteger(L, -1, CP_SYNC_NEVER);
  lua_getfield(L, index, "waitDelay");
  call->options.wait_delay = luaL_optinteger(L, -1, CP_SYNC_NEVER);

  count = (size_t)call->options.spawn.stdio_count;
  call->outputs = count > CPL_INLINE_DESCRIPTORS
                      ? lua_newuserdatauv(L, count * sizeof(*call->outputs), 0)
                      : call->inline_outputs;
  for (size_t i = 0; i < count; i++) {
    call->outputs[i] = (cp_sync_output){cpl_string_buffer_new(L, string_header), false};
  }
}

/* Pushes the value, or nil if it is not known. */
static void push_if(lua_State *L, bool is_known, lua_Integer value)
{
  if (is_known) {
    lua_pushinteger(L, value);
  } else {
    lua_pushnil(L);
  }
}

static bool is_output(const cp_sync_options *options, int fd)
{
  const cp_stdio *entry = &options->spawn.stdio[fd];

  if (cp_stdio_is_pipe(entry)) {
    return (cp_stdio_direction(entry->kind, fd) & CP_STDIO_READ) != 0;
  }
  return fd != STDIN_FILENO && fd == cp_sync_terminal_output(options);
}

/* Pushes a table about what few runs come to, or nil:
 *
 *   forced   whether SIGKILL had to follow
 *   refused  the signal that we were not allowed to send, or nil
 *   cut      a sequence of the child's descriptors whose pipes were closed after waitDelay */
static void push_events(lua_State *L, const sync_call *call)
{
  int count = call->options.spawn.stdio_count;
  bool happened = call->result.forced || call->result.refused != 0;

  for (int fd = 0; fd < count && !happened; fd++) {
    happened = call->outputs[fd].cut;
  }
  if (!happened) {
    lua_pushnil(L);
    return;
  }
  lua_createtable(L, 0, 3);
  lua_pushboolean(L, call->result.forced);
  lua_setfield(L, -2, "forced");
  push_if(L, call->result.refused != 0, call->result.refused);
  lua_setfield(L, -2, "refused");
  lua_newtable(L);
  for (int fd = 0; fd < count; fd++) {
    if (call->outputs[fd].cut) {
      lua_pushinteger(L, fd);
      lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
  }
  lua_setfield(L, -2, "cut");
}

/* Takes a sync_call as a light userdata. Returns the results of runSync. */
static int push_result(lua_State *L)
{
  sync_call *call = lua_touserdata(L, 1);
  const cp_sync_result *result = &call->result;
  int count = call->options.spawn.stdio_count;
  bool killed = result->status.signum != 0;

  lua_pushinteger(L, result->pid);
  lua_createtable(L, count, 1);
  for (int fd = 0; fd < count; fd++) {
    if (is_output(&call->options, fd)) {
      cpl_string_buffer_push(L, &call->outputs[fd].bytes);
      lua_rawseti(L, -2, fd);
    }
  }
  push_if(L, !killed && result->status.code >= 0, result->status.code);
  push_if(L, killed, result->status.signum);
  push_if(L, result->error != 0, result->error);
  push_events(L, call);
  cpl_usage_push_packed(L, &result->status.usage);
  return 7;
}

/* runSync(options) -> pid, outputs by the child's descriptor (of pipes that were read, and of the
 * terminal: see cp_sync_terminal_output), exit code or nil, signal number or nil, errno or nil,
 * what push_events pushes, packed usage or nil; or what cpl_spawn_arguments_push_failure pushes if
 * it could not be started. The table has the fields of spawn_arguments.h, and input, maxBuffer,
 * timeout, killSignal, forceKillAfterDelay and waitDelay as in cp_sync_options. */
static int run_sync(lua_State *L)
{
  cpl_state *state = cpl_state_check(L);
  sync_call call = {0};
  cp_spawn_failure failure;
  int top = 0;
  int r = 0;
  int status = LUA_OK;

  read_call(L, 1, state->string_header, &call);
  /* From here on only protected code may raise: the outputs must be freed. */
  luaL_checkstack(L, 8, NULL);
  top = lua_gettop(L);
  /* Sends accepted messages first, since no loop runs during the call. */
  cp_channels_flush(&state->runtime.channels);
  r = cp_sync_run(state->runtime.spawner, &call.options, call.outputs, &call.result, &failure);
  if (r < 0) {
    return cpl_spawn_arguments_push_failure(L, &call.arguments, &failure);
  }

  lua_pushcfunction(L, push_result);
  lua_pushlightuserdata(L, &call);
  status = lua_pcall(L, 1, LUA_MULTRET, 0);
  for (int fd = 0; fd < call.options.spawn.stdio_count; fd++) {
    cp_buffer_free(&call.outputs[fd].bytes);
  }
  return status == LUA_OK ? lua_gettop(L) - top : lua_error(L);
}

void cpl_add_sync(lua_State *L)
{
  lua_pushcfunction(L, run_sync);
  lua_setfield(L, -2, "runSync");
  cp_lua_keep_function(L, push_result);
}
