/* Sends values over channels, and reports how much of them was written. */
#include "binding/channel.h"
#include "binding/numbers.h"
#include "binding/parts.h"
#include "codec/json/json.h"
#include "core/channel/sending.h"

#include <errno.h>

/* Takes a buffer and a handle as light userdata, a value, and the number of tables that wrap the
 * user's value. Appends the message to the buffer, and returns true; or false if the value has no
 * encoded form. */
static int encode_message(lua_State *L)
{
  cp_buffer *buffer = lua_touserdata(L, 1);
  const cpl_channel_handle *handle = lua_touserdata(L, 2);
  int wrapped = (int)lua_tointeger(L, 4);

  lua_pushboolean(L, cpl_serialization_encode(handle->serialization, L, 3, wrapped, buffer));
  return 1;
}

/* Encodes the value at index 2 and returns the status of lua_pcall. Pushes whether the value has an
 * encoded form, or the error. */
static int encode(lua_State *L, cpl_channel_handle *handle, int wrapped, cp_buffer *buffer)
{
  cpl_state *state = handle->base.state;
  bool nested = state->encoding;
  int status = LUA_OK;

  lua_pushcfunction(L, encode_message);
  lua_pushlightuserdata(L, buffer);
  lua_pushlightuserdata(L, handle);
  lua_pushvalue(L, 2);
  lua_pushinteger(L, wrapped);
  state->encoding = true;
  status = lua_pcall(L, 4, 1, 0);
  state->encoding = nested;
  return status;
}

typedef int send_function(cp_channel *channel, cp_buffer *message, int fd);

static int send_reply(cp_channel *channel, cp_buffer *message, int fd)
{
  (void)fd;
  return cp_channel_reply(channel, message);
}

/* Encodes the value at index 2 and sends it. Returns 0 or a negative errno. Pushes whether the
 * value has an encoded form. Raises what encoding raises. Encoding may call __tojson, which may
 * send a message, too: the inner call then has a buffer of its own. */
static int encode_and_send(lua_State *L, cpl_channel_handle *handle, send_function *send, int fd)
{
  cpl_state *state = handle->base.state;
  bool nested = state->encoding;
  cp_buffer own = {.data = NULL};
  cp_buffer *buffer = nested ? &own : &state->scratch;
  /* A message with a descriptor is a table of the protocol, with the user's message in a field. */
  int status = encode(L, handle, fd >= 0, buffer);
  int r = 0;

  if (status == LUA_OK && buffer->length > 0) {
    /* __tojson may have closed the channel. */
    r = handle->base.core == NULL ? -EPIPE : send(handle->base.core, buffer, fd);
  }
  if (nested) {
    cp_buffer_free(buffer);
  } else {
    cp_buffer_reset(buffer);
  }
  return status == LUA_OK ? r : lua_error(L);
}

/* handle:send(value[, fd]) -> whether the backlog is low, and whether the channel was not due
 * before; nothing if the value has no JSON text; or nil, errno. Sends a copy of descriptor `fd`
 * with the message. Raises for values that cannot be sent. */
static int channel_send(lua_State *L)
{
  cpl_channel_handle *handle = cpl_channel_handle_check(L);
  int fd = lua_isnoneornil(L, 3) ? -1 : cpl_check_int(L, 3);
  bool started = !cp_channel_is_due(handle->base.core);
  int r = 0;

  /* Both serializations accept the same values. */
  if (!cp_json_has_text(L, 2, lua_type(L, 2))) {
    return 0;
  }
  r = encode_and_send(L, handle, cp_channel_send, fd);
  if (r < 0) {
    (void)cpl_state_check(L); /* Lua may not know yet that this process was forked */
    return cpl_push_failure(L, r);
  }
  if (!lua_toboolean(L, -1)) {
    return 0;
  }
  lua_pushboolean(L, !cp_channel_is_backlog_high(handle->base.core));
  lua_pushboolean(L, started);
  return 2;
}

/* handle:reply(value) -> errno: sends a message that is never held back. */
static int channel_reply(lua_State *L)
{
  return cpl_push_errno(L, encode_and_send(L, cpl_channel_handle_check(L), send_reply, -1));
}

/* handle:acknowledge(): call it when the other side has acknowledged the descriptor. */
static int channel_acknowledge(lua_State *L)
{
  cp_channel_acknowledge(cpl_channel_check(L));
  return 0;
}

/* handle:retry() -> errno: call it when the other side misses the descriptor, to send it again.
 * -ECANCELED after too many tries. */
static int channel_retry(lua_State *L)
{
  return cpl_push_errno(L, cp_channel_retry(cpl_channel_check(L)));
}

/* handle:awaitsAck() -> whether a descriptor has not been acknowledged yet */
static int channel_awaits_ack(lua_State *L)
{
  lua_pushboolean(L, cp_channel_awaits_ack(cpl_channel_check(L)));
  return 1;
}

/* handle:backlog() -> number of bytes that are still to be written */
static int channel_backlog(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)cp_channel_backlog(cpl_channel_check(L)));
  return 1;
}

/* handle:accepted() -> number of bytes accepted since the start */
static int channel_accepted(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)cp_channel_accepted(cpl_channel_check(L)));
  return 1;
}

/* handle:written() -> number of bytes written since the start */
static int channel_written(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)cp_channel_written(cpl_channel_check(L)));
  return 1;
}

/* handle:drop(): drops messages that are not written yet */
static int channel_drop(lua_State *L)
{
  cp_channel_drop(cpl_channel_check(L));
  return 0;
}

/* handle:awaitWritten([total]): calls owner:onwritten() once, when `total` bytes have been written
 * since the start (default: everything, replies included); or owner:onwritten(errno) if they cannot
 * be written. An error is reported even if nobody has asked. */
static int channel_await_written(lua_State *L)
{
  cpl_channel_handle *handle = cpl_channel_handle_check(L);

  cp_channel_await_written(handle->base.core, lua_isnoneornil(L, 2)
                                                  ? CP_CHANNEL_EVERYTHING
                                                  : (uint64_t)luaL_checkinteger(L, 2));
  return 0;
}

void cpl_add_channel_send(lua_State *L)
{
  static const luaL_Reg methods[] = {
      {"send", channel_send},
      {"reply", channel_reply},
      {"acknowledge", channel_acknowledge},
      {"retry", channel_retry},
      {"awaitsAck", channel_awaits_ack},
      {"backlog", channel_backlog},
      {"accepted", channel_accepted},
      {"written", channel_written},
      {"awaitWritten", channel_await_written},
      {"drop", channel_drop},
      {NULL, NULL},
  };

  cpl_object_add_methods(L, cpl_channel_class, methods);
  cp_lua_keep_function(L, encode_message);
}
