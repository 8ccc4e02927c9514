#include "sync.h"

#include "../core/pipe.h"
#include "../core/sync.h"
#include "bytes.h"
#include "object.h"
#include "start.h"
#include "state.h"

typedef struct sync_call {
  cp_start start;
  cp_sync_options options;
  cp_sync_result result;
  cp_buffer *outputs; /* for each of the child's descriptors */
  cp_buffer usual_outputs[CP_START_DESCRIPTORS];
} sync_call;

static void read_call(lua_State *L, int index, size_t string_header, sync_call *call)
{
  size_t count = 0;

  cp_start_read(L, index, &call->start);
  call->options.spawn = call->start.options;
  call->options.ours = call->start.ours;
  lua_getfield(L, index, "input");
  call->options.input = lua_tolstring(L, -1, &call->options.input_length);
  lua_getfield(L, index, "maxBuffer");
  call->options.max_buffer = (size_t)luaL_checkinteger(L, -1);
  lua_getfield(L, index, "timeout");
  call->options.timeout = luaL_optinteger(L, -1, 0);
  lua_getfield(L, index, "killSignal");
  call->options.kill_signal = (int)luaL_checkinteger(L, -1);

  count = (size_t)call->options.spawn.fd_count;
  call->outputs = count > CP_START_DESCRIPTORS
                      ? lua_newuserdatauv(L, count * sizeof(*call->outputs), 0)
                      : call->usual_outputs;
  for (size_t i = 0; i < count; i++) {
    call->outputs[i] = cp_bytes_buffer(L, string_header);
  }
}

/* Of a light userdata sync_call. Returns the results of runSync. */
static int push_result(lua_State *L)
{
  sync_call *call = lua_touserdata(L, 1);
  const cp_sync_result *result = &call->result;
  int count = call->options.spawn.fd_count;

  lua_pushinteger(L, result->pid);
  lua_createtable(L, count, 1);
  for (int fd = 0; fd < count; fd++) {
    cp_bytes_push(L, &call->outputs[fd]);
    lua_rawseti(L, -2, fd);
  }
  lua_pushnil(L);
  lua_pushnil(L);
  if (result->status.signum != 0) {
    lua_pushinteger(L, result->status.signum);
    lua_replace(L, -2);
  } else if (result->status.code >= 0) {
    lua_pushinteger(L, result->status.code);
    lua_replace(L, -3);
  }
  if (result->error == 0) {
    return 4;
  }
  lua_pushinteger(L, result->error);
  return 5;
}

/* runSync(options) -> pid, outputs by the child's descriptor, exit code or nil, signal number or nil,
 * errno or nil; or nil, errno if it could not be started. The options of start.h, and input, maxBuffer,
 * timeout and killSignal as in cp_sync_options. */
static int run_sync(lua_State *L)
{
  cp_state *state = cp_state_check(L);
  sync_call call = {0};
  int top = 0;
  int count = 0;
  int r = 0;
  int status = LUA_OK;

  read_call(L, 1, state->string_header, &call);
  luaL_checkstack(L, 8, NULL);
  top = lua_gettop(L);
  count = call.options.spawn.fd_count;
  r = cp_pipe_open_each(call.start.fds, call.start.ours, count);
  if (r == 0) {
    r = cp_sync_run(state->loop.spawner, &call.options, call.outputs, &call.result);
  } else {
    cp_pipe_close_theirs(call.start.fds, call.start.ours, count);
    cp_pipe_close_ours(call.start.ours, count);
  }
  if (r < 0) {
    lua_pushnil(L);
    lua_pushinteger(L, r);
    return 2;
  }

  lua_pushcfunction(L, push_result);
  lua_pushlightuserdata(L, &call);
  status = lua_pcall(L, 1, LUA_MULTRET, 0);
  for (int fd = 0; fd < count; fd++) {
    cp_buffer_free(&call.outputs[fd]);
  }
  return status == LUA_OK ? lua_gettop(L) - top : lua_error(L);
}

/* writeAll(fd, bytes) -> errno */
static int write_all(lua_State *L)
{
  size_t length = 0;
  const char *bytes = luaL_checklstring(L, 2, &length);

  return cp_push_errno(L, cp_pipe_write_all(cp_check_int(L, 1), bytes, length));
}

void cp_sync_functions(lua_State *L)
{
  lua_pushcfunction(L, write_all);
  lua_setfield(L, -2, "writeAll");
  lua_pushcfunction(L, run_sync);
  lua_setfield(L, -2, "runSync");
}
