#include "sync.h"

#include "../core/channel.h"
#include "../core/sync.h"
#include "object.h"
#include "spawn_arguments.h"
#include "state.h"
#include "string_buffer.h"

/* Everything that one call of runSync holds. */
typedef struct sync_call {
  cp_spawn_arguments arguments;
  cp_sync_options options;
  cp_sync_result result;
  cp_buffer *outputs; /* by the child's descriptor */
  cp_buffer inline_outputs[CP_INLINE_DESCRIPTORS];
} sync_call;

/* Reads the table at `index`, or raises. */
static void read_call(lua_State *L, int index, size_t string_header, sync_call *call)
{
  size_t count = 0;

  cp_spawn_arguments_read(L, index, &call->arguments);
  call->options.spawn = call->arguments.options;
  call->options.fds = call->arguments.fds;
  lua_getfield(L, index, "input");
  call->options.input = lua_tolstring(L, -1, &call->options.input_length);
  lua_getfield(L, index, "maxBuffer");
  call->options.max_buffer = (size_t)luaL_checkinteger(L, -1);
  lua_getfield(L, index, "timeout");
  call->options.timeout = luaL_optinteger(L, -1, 0);
  lua_getfield(L, index, "killSignal");
  call->options.kill_signal = cp_check_int(L, -1);

  count = (size_t)call->options.spawn.fd_count;
  call->outputs = count > CP_INLINE_DESCRIPTORS
                      ? lua_newuserdatauv(L, count * sizeof(*call->outputs), 0)
                      : call->inline_outputs;
  for (size_t i = 0; i < count; i++) {
    call->outputs[i] = cp_string_buffer_new(L, string_header);
  }
}

/* Pushes an integer, or nil. */
static void push_if(lua_State *L, bool is_one, lua_Integer value)
{
  if (is_one) {
    lua_pushinteger(L, value);
  } else {
    lua_pushnil(L);
  }
}

/* Of a light userdata sync_call. Returns the results of runSync. */
static int push_result(lua_State *L)
{
  sync_call *call = lua_touserdata(L, 1);
  const cp_sync_result *result = &call->result;
  int count = call->options.spawn.fd_count;
  bool killed = result->status.signum != 0;

  lua_pushinteger(L, result->pid);
  lua_createtable(L, count, 1);
  for (int fd = 0; fd < count; fd++) {
    cp_string_buffer_push(L, &call->outputs[fd]);
    lua_rawseti(L, -2, fd);
  }
  push_if(L, !killed && result->status.code >= 0, result->status.code);
  push_if(L, killed, result->status.signum);
  push_if(L, result->error != 0, result->error);
  return 5;
}

/* runSync(arguments) -> pid, outputs by the child's descriptor, exit code or nil, signal number or nil,
 * errno or nil; or nil, errno if it could not be started. What spawn_arguments.h says, and input,
 * maxBuffer, timeout and killSignal as in cp_sync_options. */
static int run_sync(lua_State *L)
{
  cp_state *state = cp_state_check(L);
  sync_call call = {0};
  int top = 0;
  int r = 0;
  int status = LUA_OK;

  read_call(L, 1, state->string_header, &call);
  /* Nothing may raise once the program has run, but what is protected. */
  luaL_checkstack(L, 8, NULL);
  top = lua_gettop(L);
  /* What was sent should not wait for us. */
  cp_channel_flush_all(&state->loop);
  r = cp_sync_run(state->loop.spawner, &call.options, call.outputs, &call.result);
  if (r < 0) {
    return cp_push_failure(L, r);
  }

  lua_pushcfunction(L, push_result);
  lua_pushlightuserdata(L, &call);
  status = lua_pcall(L, 1, LUA_MULTRET, 0);
  for (int fd = 0; fd < call.options.spawn.fd_count; fd++) {
    cp_buffer_free(&call.outputs[fd]);
  }
  return status == LUA_OK ? lua_gettop(L) - top : lua_error(L);
}

void cp_sync_functions(lua_State *L)
{
  lua_pushcfunction(L, run_sync);
  lua_setfield(L, -2, "runSync");
}
