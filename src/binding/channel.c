#include "channel.h"

#include "../codec/json.h"
#include "../core/channel.h"
#include "../core/inherited.h"
#include "anchor.h"
#include "descriptor.h"
#include "object.h"
#include "serialization.h"
#include "state.h"

#include <errno.h>
#include <string.h>

static const char CLASS[] = "child_process.ChannelHandle";

typedef struct channel_handle {
  cp_state *state;
  cp_channel *channel; /* NULL after close */
  const cp_serialization *serialization;
  cp_anchor anchor;
} channel_handle;

static channel_handle *check_handle(lua_State *L)
{
  channel_handle *handle = cp_object_check(L, 1, CLASS);

  luaL_argcheck(L, handle->channel != NULL, 1, "closed");
  return handle;
}

/* Callbacks. */

typedef struct channel_event {
  channel_handle *handle;
  const char *method;
  int error;
} channel_event;

static int call_event(lua_State *L)
{
  const channel_event *event = lua_touserdata(L, 1);

  cp_anchor_push_owner(L, event->handle->anchor);
  if (event->error == 0) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, event->error);
  }
  cp_state_dispatch(L, event->method, 1);
  return 0;
}

/* Calls owner:method(errno or nil). */
static void tell(channel_handle *handle, const char *method, int error)
{
  channel_event event = {handle, method, error};

  cp_state_call(handle->state, call_event, &event);
}

static void on_end(cp_channel *channel, int error)
{
  tell(channel->owner, "onend", error);
}

static void on_written(cp_channel *channel, int error)
{
  tell(channel->owner, "onwritten", error);
}

/* Messages of the protocol itself are tables with a field "cmd" that begins with this. */
#define INTERNAL "NODE_"

/* Whether the value on top of the stack is such a message. */
static bool is_internal(lua_State *L)
{
  bool internal = false;

  if (lua_istable(L, -1)) {
    lua_pushliteral(L, "cmd");
    if (lua_rawget(L, -2) == LUA_TSTRING) {
      internal = strncmp(lua_tostring(L, -1), INTERNAL, sizeof(INTERNAL) - 1) == 0 &&
                 lua_rawlen(L, -1) > sizeof(INTERNAL) - 1;
    }
    lua_pop(L, 1);
  }
  return internal;
}

/* isInternal(value) */
static int is_internal_message(lua_State *L)
{
  lua_settop(L, 1);
  lua_pushboolean(L, is_internal(L));
  return 1;
}

/* Takes all messages, for as long as the handle stays and the loop is not to return. */
static int call_on_messages(lua_State *L)
{
  channel_handle *handle = lua_touserdata(L, 1);
  cp_channel *channel = handle->channel;
  const char *message = NULL;
  size_t length = 0;

  /* The userdata stays on the stack: a listener may close the channel and run the collector. */
  cp_anchor_push(L, handle->anchor);
  lua_replace(L, 1);
  lua_getiuservalue(L, 1, 1);
  lua_getfield(L, 2, "deliver");
  /* userdata, owner, method */
  while (handle->channel != NULL && !handle->state->loop.interrupted &&
         cp_channel_next(channel, &message, &length)) {
    cp_decode_error error;

    lua_pushnil(L); /* the method's place */
    lua_pushvalue(L, 2);
    if (!handle->serialization->decode(L, message, length, &error)) {
      lua_settop(L, 2);
      lua_pushlstring(L, message, length);
      lua_pushstring(L, error.reason);
      cp_state_dispatch(L, "ongarbage", 2);
      return 0;
    }
    if (is_internal(L)) {
      lua_getfield(L, 2, "oninternal");
    } else {
      lua_pushvalue(L, 3);
    }
    lua_replace(L, 4);
    lua_call(L, 2, 0);
    cp_state_drain(L, handle->state);
  }
  return 0;
}

static void on_messages(cp_channel *channel)
{
  channel_handle *handle = channel->owner;

  cp_state_call(handle->state, call_on_messages, handle);
}

/* Life. */

void cp_channel_handle_push(lua_State *L, cp_state *state, int fd)
{
  static const cp_channel_callbacks callbacks = {on_messages, on_end, on_written};
  channel_handle *handle = cp_object_new(L, CLASS, sizeof(*handle));

  handle->anchor = LUA_NOREF;
  handle->state = state;
  cp_anchor_set(L, &handle->anchor, lua_gettop(L), true);
  handle->serialization = cp_serialization_of_name("json");
  handle->channel = cp_channel_new(&state->loop, fd, &callbacks, handle);
  if (handle->channel == NULL) {
    cp_anchor_release(L, &handle->anchor);
    luaL_error(L, "child_process: not enough memory for a channel");
  }
}

/* channel(fd) -> handle. Its owner is told: owner:deliver(value), or owner:oninternal(value) if the message
 * belongs to the protocol; owner:ongarbage(text, reason) for what is no message; owner:onend(errno) when
 * nothing more comes, with the reason if something went wrong; owner:onwritten(errno), see awaitWritten. */
static int channel_open(lua_State *L)
{
  cp_channel_handle_push(L, cp_state_check(L), cp_check_int(L, 1));
  return 1;
}

/* handle:close(): no callback comes any more; what was sent is still written. */
static int channel_close(lua_State *L)
{
  channel_handle *handle = cp_object_check(L, 1, CLASS);

  handle->channel = cp_channel_close(handle->channel);
  cp_anchor_release(L, &handle->anchor);
  return 0;
}

/* handle:setSerialization(name): how messages are written, both ways; to be called before the first. */
static int channel_set_serialization(lua_State *L)
{
  channel_handle *handle = check_handle(L);

  handle->serialization = cp_serialization_of_name(luaL_checkstring(L, 2));
  cp_channel_set_framing(handle->channel, handle->serialization->framing);
  return 0;
}

/* handle:read(on) -> errno */
static int channel_read(lua_State *L)
{
  return cp_push_errno(L, cp_channel_read(check_handle(L)->channel, lua_toboolean(L, 2)));
}

/* handle:reference(on) -> errno: whether reading keeps the loop alive. */
static int channel_reference(lua_State *L)
{
  return cp_push_errno(L, cp_channel_reference(check_handle(L)->channel, lua_toboolean(L, 2)));
}

/* handle:finish() -> whether messages have come that will be delivered, and owner:onend() called then. */
static int channel_finish(lua_State *L)
{
  lua_pushboolean(L, cp_channel_finish(check_handle(L)->channel));
  return 1;
}

/* handle:setMaxMessageSize(bytes): a longer one ends the channel. */
static int channel_set_max_message_size(lua_State *L)
{
  cp_channel_set_max_message(check_handle(L)->channel, (size_t)luaL_checkinteger(L, 2));
  return 0;
}

/* Sending. */

/* Of a buffer and a handle as light userdata, a value, and in how many tables the user's is wrapped:
 * appends the message, returns whether there is one. */
static int encode_message(lua_State *L)
{
  cp_buffer *buffer = lua_touserdata(L, 1);
  const channel_handle *handle = lua_touserdata(L, 2);

  int wrapped = (int)lua_tointeger(L, 4);

  lua_pushboolean(L, cp_serialization_encode(handle->serialization, L, 3, wrapped, buffer));
  return 1;
}

/* Encodes the value at index 2, and pushes whether there is a message, or an error: the status tells. Encoding
 * may call __tojson, which may send something, too: that has a buffer of its own. */
static int encode(lua_State *L, channel_handle *handle, int wrapped, cp_buffer *buffer)
{
  cp_state *state = handle->state;
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

/* Encodes the value at index 2 and sends it. Returns 0 or a negative errno; pushes false if the value has no
 * text; raises what encoding raises. */
static int encode_and_send(lua_State *L, channel_handle *handle, send_function *send, int fd)
{
  cp_state *state = handle->state;
  bool nested = state->encoding;
  cp_buffer own = {.data = NULL};
  cp_buffer *buffer = nested ? &own : &state->scratch;
  /* What goes with a descriptor is the protocol's table, which has the user's message as a field. */
  int status = encode(L, handle, fd >= 0, buffer);
  int r = 0;

  if (status == LUA_OK && buffer->length > 0) {
    /* __tojson may have closed it. */
    r = handle->channel == NULL ? -EPIPE : send(handle->channel, buffer, fd);
  }
  if (nested) {
    cp_buffer_free(buffer);
  } else {
    cp_buffer_reset(buffer);
  }
  return status == LUA_OK ? r : lua_error(L);
}

/* handle:send(value[, fd]) -> how many bytes wait to be written, how many messages wait for a descriptor to be
 * acknowledged, and whether the loop has got something to do by it; nothing if the value has no text; or
 * nil, errno. A copy of descriptor `fd` goes with the message. Raises for what cannot be sent. */
static int channel_send(lua_State *L)
{
  channel_handle *handle = check_handle(L);
  int fd = lua_isnoneornil(L, 3) ? -1 : cp_check_int(L, 3);
  bool started = !handle->channel->is_due;
  int r = 0;

  /* The same values can be messages in both serializations. */
  if (!cp_json_has_text(L, 2, lua_type(L, 2))) {
    return 0;
  }
  r = encode_and_send(L, handle, cp_channel_send, fd);
  if (r < 0) {
    return cp_push_failure(L, r);
  }
  if (!lua_toboolean(L, -1)) {
    return 0;
  }
  lua_pushinteger(L, (lua_Integer)cp_channel_backlog(handle->channel));
  lua_pushinteger(L, (lua_Integer)cp_channel_held(handle->channel));
  lua_pushboolean(L, started);
  return 3;
}

/* handle:reply(value) -> errno: sends a message that waits for no acknowledgement. */
static int channel_reply(lua_State *L)
{
  return cp_push_errno(L, encode_and_send(L, check_handle(L), send_reply, -1));
}

/* handle:acknowledge(): the other side has got the descriptor that is on its way. */
static int channel_acknowledge(lua_State *L)
{
  cp_channel_acknowledge(check_handle(L)->channel);
  return 0;
}

/* handle:retry() -> errno: the other side has not got it. -ECANCELED if that has happened too often. */
static int channel_retry(lua_State *L)
{
  return cp_push_errno(L, cp_channel_retry(check_handle(L)->channel));
}

/* handle:awaits() -> whether a descriptor is on its way */
static int channel_awaits(lua_State *L)
{
  lua_pushboolean(L, cp_outbox_awaits(&check_handle(L)->channel->outbox));
  return 1;
}

/* handle:takeDescriptor() -> the one that came with the message that onmessage is told of, or nil */
static int channel_take_descriptor(lua_State *L)
{
  channel_handle *handle = check_handle(L);
  int *fd = cp_descriptor_push(L);

  *fd = cp_channel_take_descriptor(handle->channel);
  if (*fd == -1) {
    lua_pushnil(L);
  }
  return 1;
}

/* handle:sendPreamble(bytes) -> errno: something that comes before all messages; see receivePreamble. */
static int channel_send_preamble(lua_State *L)
{
  channel_handle *handle = check_handle(L);
  size_t length = 0;
  const char *bytes = luaL_checklstring(L, 2, &length);
  cp_buffer preamble = {.data = NULL};
  int r = cp_buffer_append(&preamble, bytes, length);

  if (r == 0) {
    r = cp_channel_send(handle->channel, &preamble, -1);
  }
  cp_buffer_free(&preamble);
  /* The child waits for it, whatever we do now. */
  cp_channel_flush(handle->channel);
  return cp_push_errno(L, r);
}

/* receivePreamble(size) -> the bytes that come before all messages on the channel that we have inherited; or
 * nil, errno. Waits for them. */
static int receive_preamble(lua_State *L)
{
  size_t size = (size_t)luaL_checkinteger(L, 1);
  luaL_Buffer buffer;
  int r = 0;

  r = cp_inbox_receive_first((int)lua_tointeger(L, lua_upvalueindex(1)),
                             luaL_buffinitsize(L, &buffer, size), size);
  luaL_pushresultsize(&buffer, size);
  if (r < 0) {
    return cp_push_failure(L, r);
  }
  return 1;
}

/* handle:backlog() -> how many bytes wait to be written */
static int channel_backlog(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)cp_channel_backlog(check_handle(L)->channel));
  return 1;
}

/* handle:accepted() -> how many bytes were sent or wait since the begin */
static int channel_accepted(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)cp_channel_accepted(check_handle(L)->channel));
  return 1;
}

/* handle:written() -> bytes since the begin */
static int channel_written(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)cp_channel_written(check_handle(L)->channel));
  return 1;
}

/* handle:awaitWritten(total): calls owner:onwritten() once when that many bytes have been, or
 * owner:onwritten(errno) if they cannot be, and also if that comes without having been asked for. */
static int channel_await_written(lua_State *L)
{
  cp_channel_await_written(check_handle(L)->channel, (uint64_t)luaL_checkinteger(L, 2));
  return 0;
}

static int channel_gc(lua_State *L)
{
  channel_handle *handle = cp_object_check(L, 1, CLASS);

  handle->channel = cp_channel_close(handle->channel);
  return 0;
}

/* Adds `inheritedChannel`, the descriptor of the channel to our parent if it has made one, and
 * `inheritedSerialization`. */
static void take_inherited(lua_State *L)
{
  bool advanced = false;
  int fd = cp_inherited_take(&advanced);

  if (fd != -1) {
    lua_pushinteger(L, fd);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "inheritedChannel");
    lua_pushcclosure(L, receive_preamble, 1);
    lua_setfield(L, -2, "receivePreamble");
    lua_pushstring(L, advanced ? "advanced" : "json");
    lua_setfield(L, -2, "inheritedSerialization");
  }
}

void cp_channel_functions(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", channel_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"setOwner", cp_object_set_owner},
      {"close", channel_close},
      {"setSerialization", channel_set_serialization},
      {"read", channel_read},
      {"reference", channel_reference},
      {"finish", channel_finish},
      {"setMaxMessageSize", channel_set_max_message_size},
      {"send", channel_send},
      {"reply", channel_reply},
      {"acknowledge", channel_acknowledge},
      {"retry", channel_retry},
      {"awaits", channel_awaits},
      {"takeDescriptor", channel_take_descriptor},
      {"sendPreamble", channel_send_preamble},
      {"backlog", channel_backlog},
      {"accepted", channel_accepted},
      {"written", channel_written},
      {"awaitWritten", channel_await_written},
      {NULL, NULL},
  };

  cp_object_class(L, CLASS, metamethods, methods);
  lua_pushcfunction(L, channel_open);
  lua_setfield(L, -2, "channel");
  lua_pushcfunction(L, is_internal_message);
  lua_setfield(L, -2, "isInternal");
  take_inherited(L);
}
