/* Makes and closes channels, and receives messages. */
#include "binding/channel.h"

#include "binding/call.h"
#include "binding/descriptor.h"
#include "binding/emit.h"
#include "binding/numbers.h"
#include "binding/parts.h"
#include "binding/stack.h"
#include "core/base/owned.h"
#include "core/channel/channels.h"
#include "core/channel/draining.h"
#include "core/channel/receiving.h"

#include <string.h>

const char cpl_channel_class[] = "child_process.ChannelHandle";

static bool is_active(const cpl_handle *handle)
{
  (void)handle; /* it stays anchored until it is closed */
  return true;
}

static void close_handle(cpl_handle *handle)
{
  handle->core = cp_channel_close(handle->core);
}

static const cpl_handle_kind kind = {cpl_channel_class, is_active, close_handle};

/* Callbacks. */

/* Calls owner:method(errno or nil). */
static void emit_result(cp_channel *channel, const char *method, int error)
{
  cpl_value value = cpl_errno(error);

  cpl_emit(channel->owner, method, &value, 1);
}

static void on_end(cp_channel *channel, int error)
{
  emit_result(channel, "onend", error);
}

static void on_written(cp_channel *channel, int error)
{
  emit_result(channel, "onwritten", error);
}

static void on_drained(cp_channel *channel)
{
  cpl_emit(channel->owner, "ondrained", NULL, 0);
}

/* Messages of the protocol itself are tables whose field "cmd" starts with this. */
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

/* isInternal(value) -> whether it is a message of the protocol itself */
static int is_internal_message(lua_State *L)
{
  lua_settop(L, 1);
  lua_pushboolean(L, is_internal(L));
  return 1;
}

/* Puts the method that gets the messages, and its owner, into their places on the stack. */
static void look_up_method(lua_State *L, cpl_channel_handle *handle)
{
  handle->has_new_owner = false;
  lua_getiuservalue(L, 1, 1);
  lua_replace(L, 2);
  lua_getfield(L, 2, "deliver");
  lua_replace(L, 3);
}

/* Delivers messages until there are no more, the handle is closed or the loop is interrupted. It
 * calls the methods directly, since cpl_emit would need a protected call for each message. */
static int call_on_messages(lua_State *L)
{
  cpl_channel_handle *handle = lua_touserdata(L, 1);
  cp_channel *channel = handle->base.core;
  const char *message = NULL;
  size_t length = 0;

  /* The userdata stays on the stack: a listener may close the channel and run the collector. */
  cpl_handle_push(L, &handle->base);
  lua_replace(L, 1);
  lua_settop(L, 3);
  look_up_method(L, handle);
  /* userdata, owner, method */
  while (handle->base.core != NULL && !cp_loop_is_interrupted(&handle->base.state->runtime.loop) &&
         cp_channel_next(channel, &message, &length)) {
    cp_decode_error error;
    CPL_STACK_NOTE(L);

    if (handle->has_new_owner) {
      look_up_method(L, handle);
    }
    lua_pushnil(L); /* replaced by the method */
    lua_pushvalue(L, 2);
    if (!handle->serialization->decode(L, message, length, &error)) {
      lua_settop(L, 2);
      lua_pushlstring(L, message, length);
      lua_pushstring(L, error.reason);
      cpl_call_method(L, "ongarbage", 2);
      return 0;
    }
    CPL_STACK_ASSERT(L, 3);
    if (is_internal(L)) {
      lua_getfield(L, 2, "oninternal");
    } else {
      lua_pushvalue(L, 3);
    }
    lua_replace(L, 4);
    lua_call(L, 2, 0);
    cpl_call_drain(L, handle->base.state);
    CPL_STACK_ASSERT(L, 0);
  }
  return 0;
}

static void on_messages(cp_channel *channel)
{
  cpl_channel_handle *handle = channel->owner;

  cpl_call_protected(handle->base.state, call_on_messages, handle);
}

/* Lifetime. */

void cpl_channel_push(lua_State *L, cpl_state *state, int fd)
{
  static const cp_channel_callbacks callbacks = {on_messages, on_end, on_written, on_drained};
  cpl_channel_handle *handle = cpl_handle_new(L, state, &kind, sizeof(*handle));

  cpl_handle_anchor(L, &handle->base, lua_gettop(L));
  handle->serialization = cpl_serialization_of_name("json");
  handle->base.core = cp_channel_new(&state->runtime.channels, fd, &callbacks, handle);
  if (handle->base.core == NULL) {
    cpl_handle_release_if_idle(&handle->base);
    luaL_error(L, "child_process: not enough memory for a channel");
  }
}

/* channel(fd) -> handle. It calls its owner: owner:deliver(value), or owner:oninternal(value) if
 * the message belongs to the protocol; owner:ongarbage(text, reason) for bytes that are not a
 * message; owner:onend(errno) when nothing more arrives, with an errno after an error;
 * owner:onwritten(errno), see awaitWritten; owner:ondrained(), see drain. */
static int channel_open(lua_State *L)
{
  cpl_channel_push(L, cpl_state_check(L), cpl_check_int(L, 1));
  return 1;
}

/* handle:close(): stops the callbacks. Accepted messages are still written. May be called again. */
static int channel_close(lua_State *L)
{
  cpl_handle *handle = cpl_object_check(L, 1, cpl_channel_class);

  close_handle(handle);
  cpl_handle_release_if_idle(handle);
  return 0;
}

/* handle:setOwner(owner): sets the object whose methods are called, and whose method `deliver` gets
 * also those of the messages that have arrived already. */
static int channel_set_owner(lua_State *L)
{
  cpl_channel_handle_check(L)->has_new_owner = true;
  return cpl_object_set_owner(L);
}

/* handle:setSerialization(name): sets the format of messages in both directions, "json" or
 * "advanced"; call it before the first message. */
static int channel_set_serialization(lua_State *L)
{
  cpl_channel_handle *handle = cpl_channel_handle_check(L);

  handle->serialization = cpl_serialization_of_name(luaL_checkstring(L, 2));
  cp_channel_set_framing(handle->base.core, handle->serialization->framing);
  return 0;
}

/* handle:read(on) -> errno: starts or stops receiving. */
static int channel_read(lua_State *L)
{
  return cpl_push_errno(L, cp_channel_set_reading(cpl_channel_check(L), lua_toboolean(L, 2)));
}

/* handle:reference(on) -> errno: sets whether receiving keeps the loop alive. */
static int channel_reference(lua_State *L)
{
  return cpl_push_errno(L, cp_channel_reference(cpl_channel_check(L), lua_toboolean(L, 2)));
}

/* handle:finish() -> whether there are messages that have arrived and will be delivered, followed
 * by owner:onend() */
static int channel_finish(lua_State *L)
{
  lua_pushboolean(L, cp_channel_finish(cpl_channel_check(L)));
  return 1;
}

/* handle:drain(): calls owner:ondrained() when everything that has arrived by now was delivered. */
static int channel_drain(lua_State *L)
{
  cp_channel_drain(cpl_channel_check(L));
  return 0;
}

/* handle:setMaxMessageSize(bytes): a longer message ends the channel. */
static int channel_set_max_message_size(lua_State *L)
{
  cp_channel_set_max_message(cpl_channel_check(L), cpl_check_size(L, 2));
  return 0;
}

/* handle:received() -> number of bytes of the messages received since the start, that which is
 * being delivered included */
static int channel_received(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)cp_channel_received(cpl_channel_check(L)));
  return 1;
}

/* handle:takeDescriptor() -> Descriptor that came with the message that is being delivered, or
 * nil */
static int channel_take_descriptor(lua_State *L)
{
  cpl_channel_handle *handle = cpl_channel_handle_check(L);
  int *fd = cpl_descriptor_push(L);

  *fd = cp_channel_take_descriptor(handle->base.core);
  if (*fd == -1) {
    lua_pushnil(L);
  }
  cp_owned_add(*fd);
  return 1;
}

void cpl_add_channel(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", cpl_handle_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"setOwner", channel_set_owner},
      {"close", channel_close},
      {"setSerialization", channel_set_serialization},
      {"read", channel_read},
      {"reference", channel_reference},
      {"finish", channel_finish},
      {"drain", channel_drain},
      {"setMaxMessageSize", channel_set_max_message_size},
      {"received", channel_received},
      {"takeDescriptor", channel_take_descriptor},
      {NULL, NULL},
  };

  cpl_object_class(L, cpl_channel_class, metamethods, methods);
  lua_pushcfunction(L, channel_open);
  lua_setfield(L, -2, "channel");
  lua_pushcfunction(L, is_internal_message);
  lua_setfield(L, -2, "isInternal");
  cp_lua_keep_function(L, call_on_messages);
}
