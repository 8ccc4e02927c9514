/* The channel that a program inherits from its parent, and the bytes ahead of its messages. */
#include "core/channel/inherited.h"

#include "binding/channel.h"
#include "binding/numbers.h"
#include "binding/parts.h"
#include "core/channel/sending.h"

/* handle:sendPreamble(bytes) -> errno: sends bytes ahead of all messages, see receivePreamble. */
static int channel_send_preamble(lua_State *L)
{
  cpl_channel_handle *handle = cpl_channel_handle_check(L);
  size_t length = 0;
  const char *bytes = luaL_checklstring(L, 2, &length);
  cp_buffer preamble = {.data = NULL};
  int r = cp_buffer_append(&preamble, bytes, length);

  if (r == 0) {
    r = cp_channel_send(handle->base.core, &preamble, -1);
  }
  cp_buffer_free(&preamble);
  /* Write it now: the child waits for it, even if our loop does not run for a while. */
  cp_channel_flush(handle->base.core);
  return cpl_push_errno(L, r);
}

/* receivePreamble(size) -> the bytes ahead of all messages on the channel that we have inherited;
 * or nil, errno. Waits for them. */
static int receive_preamble(lua_State *L)
{
  size_t size = cpl_check_size(L, 1);
  luaL_Buffer buffer;
  int r = 0;

  r = cp_inbox_receive_first((int)lua_tointeger(L, lua_upvalueindex(1)),
                             luaL_buffinitsize(L, &buffer, size), size);
  luaL_pushresultsize(&buffer, size);
  if (r < 0) {
    return cpl_push_failure(L, r);
  }
  return 1;
}

/* Adds `inheritedChannel`, the descriptor of the channel if our parent has made one, and
 * `inheritedSerialization`. */
static void add_inherited(lua_State *L)
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

void cpl_add_inherited(lua_State *L)
{
  static const luaL_Reg methods[] = {
      {"sendPreamble", channel_send_preamble},
      {NULL, NULL},
  };

  cpl_object_add_methods(L, cpl_channel_class, methods);
  add_inherited(L);
}
