/* Makes and closes streams. Reads them piece by piece, or collects the bytes. */
#include "binding/stream.h"

#include "binding/emit.h"
#include "binding/numbers.h"
#include "binding/parts.h"
#include "binding/string_buffer.h"
#include "core/base/buffer.h"
#include "core/net/socket.h"
#include "core/stream/stream.h"

#include <fcntl.h>

const char cpl_stream_class[] = "child_process.StreamHandle";

/* A transfer waits for one stream or another, so all of them stay active until it ends. */
static bool is_active(const cpl_handle *base)
{
  const cpl_stream_handle *handle = (const cpl_stream_handle *)base;

  return handle->splice != NULL || handle->splice_source != NULL || handle->held ||
         cp_stream_is_active(base->core);
}

static void close_handle(cpl_handle *base)
{
  cpl_stream_handle *handle = (cpl_stream_handle *)base;

  cpl_stream_splice_stop(handle);
  base->core = cp_stream_close(base->core);
  cp_buffer_free(&handle->collected);
}

static const cpl_handle_kind kind = {cpl_stream_class, is_active, close_handle};

/* Callbacks. */

static void emit_read(cpl_stream_handle *handle, const char *data, ssize_t n)
{
  cpl_value values[] = {cpl_nil(), cpl_nil()};
  int count = 2;

  if (n > 0) {
    values[0] = cpl_bytes(data, (size_t)n);
    count = 1;
  } else {
    values[1] = cpl_errno((int)n);
  }
  cpl_emit(&handle->base, "onread", values, count);
}

/* Keeps the bytes instead of passing them to Lua. Returns 0 or a negative errno. */
static int collect(cpl_stream_handle *handle, const char *data, size_t n)
{
  size_t room = handle->limit - handle->collected.length;
  int r = cp_buffer_append(&handle->collected, data, n < room ? n : room);

  if (r == 0 && n > room) {
    handle->collecting = false;
    cpl_emit(&handle->base, "onoverflow", NULL, 0);
  }
  return r;
}

static void on_read(cp_stream *stream, const char *data, ssize_t n)
{
  cpl_stream_handle *handle = stream->owner;

  if (handle->collecting && n > 0) {
    n = collect(handle, data, (size_t)n);
    if (n == 0) {
      return;
    }
  }
  emit_read(handle, data, n);
}

static void on_room(cp_stream *stream)
{
  cpl_emit(stream->owner, "onroom", NULL, 0);
}

static void on_hangup(cp_stream *stream)
{
  cpl_emit(stream->owner, "onhangup", NULL, 0);
}

static const cp_stream_callbacks callbacks = {on_read, on_room, on_hangup};

/* Lifetime. */

void cpl_stream_push(lua_State *L, cpl_state *state, int fd, int flags)
{
  cpl_stream_handle *handle = cpl_handle_new(L, state, &kind, sizeof(*handle));

  handle->base.core = cp_stream_new(&state->runtime.streams, fd, flags, &callbacks, handle);
  if (handle->base.core == NULL) {
    luaL_error(L, "child_process: not enough memory for a stream");
  }
}

static int push_socket(lua_State *L)
{
  const int *fd = lua_touserdata(L, 1);

  cpl_stream_push(L, cpl_state_check(L), *fd, CP_STREAM_READABLE | CP_STREAM_WRITABLE);
  return 1;
}

void cpl_stream_push_socket(lua_State *L, int fd)
{
  cpl_handle_push_owning(L, fd, push_socket, &fd);
}

/* stream(fd, readable, writable) -> handle on a descriptor that it borrows: it never closes it */
static int stream_borrow(lua_State *L)
{
  int fd = cpl_check_int(L, 1);

  cpl_stream_push(L, cpl_state_check(L), fd,
                  CP_STREAM_BORROWED | (lua_toboolean(L, 2) ? CP_STREAM_READABLE : 0) |
                      (lua_toboolean(L, 3) ? CP_STREAM_WRITABLE : 0));
  return 1;
}

/* openSocket(fd) -> handle that owns the descriptor, whether it can be read, whether it can be
 * written; or nil, errno. Takes over the descriptor, and closes it on failure; but refuses a
 * descriptor that an object of ours owns with -EBADF. */
static int stream_open_socket(lua_State *L)
{
  int fd = cpl_check_int(L, 1);
  int r = cp_socket_adopt(fd);

  if (r < 0) {
    return cpl_push_failure(L, r);
  }
  cpl_stream_push_socket(L, fd);
  lua_pushboolean(L, r != O_WRONLY);
  lua_pushboolean(L, r != O_RDONLY);
  return 3;
}

/* handle:hold(): keeps the handle from being collected until it is closed. */
static int stream_hold(lua_State *L)
{
  cpl_stream_handle *handle = cpl_stream_handle_check(L);

  cpl_handle_anchor(L, &handle->base, 1);
  handle->held = true;
  return 0;
}

/* handle:close(): stops the callbacks. May be called again. */
static int stream_close(lua_State *L)
{
  cpl_handle *handle = cpl_object_check(L, 1, cpl_stream_class);

  close_handle(handle);
  cpl_handle_release_if_idle(handle);
  return 0;
}

/* handle:fileno() -> descriptor */
static int stream_fileno(lua_State *L)
{
  lua_pushinteger(L, cp_stream_descriptor(cpl_stream_check(L)));
  return 1;
}

/* handle:reference(on) -> errno: sets whether it keeps the loop alive. */
static int stream_reference(lua_State *L)
{
  return cpl_push_errno(L, cp_stream_reference(cpl_stream_check(L), lua_toboolean(L, 2)));
}

/* handle:share(): call it when another program shares the descriptor and may make it blocking. */
static int stream_share(lua_State *L)
{
  cp_stream_share(cpl_stream_check(L));
  return 0;
}

/* handle:takeBack(): call it when the other program has ended; makes the descriptor non-blocking
 * again. */
static int stream_take_back(lua_State *L)
{
  cp_stream_take_back(cpl_stream_check(L));
  return 0;
}

/* handle:endAfterRest() -> number of bytes that can be read now, after which the stream will end
 * even if other programs hold its other end open; or nil, errno */
static int stream_end_after_rest(lua_State *L)
{
  ssize_t rest = cp_stream_end_after_rest(cpl_stream_check(L));

  if (rest < 0) {
    return cpl_push_failure(L, (int)rest);
  }
  lua_pushinteger(L, rest);
  return 1;
}

/* handle:isHeld() -> whether another process, or this one, holds the other end open */
static int stream_is_held(lua_State *L)
{
  lua_pushboolean(L, cp_stream_is_held(cpl_stream_check(L)));
  return 1;
}

/* handle:read(on) -> errno: starts or stops reading. Calls owner:onread(bytes), at the end
 * owner:onread(nil), after a failure owner:onread(nil, errno). */
static int stream_read(lua_State *L)
{
  cpl_stream_handle *handle = cpl_stream_handle_check(L);

  cpl_handle_anchor(L, &handle->base, 1);
  return cpl_handle_settle(L, &handle->base,
                           cp_stream_set_reading(handle->base.core, lua_toboolean(L, 2)));
}

/* handle:collect(limit): collects bytes instead of calling onread, at most `limit` of them. If
 * there are more, drops the rest of that piece, calls owner:onoverflow(), and goes back to onread.
 * handle:collect(): goes back to onread. */
static int stream_collect(lua_State *L)
{
  cpl_stream_handle *handle = cpl_stream_handle_check(L);

  handle->collecting = !lua_isnoneornil(L, 2);
  if (handle->collecting && handle->collected.data == NULL) {
    handle->collected = cpl_string_buffer_new(L, handle->base.state->string_header);
  }
  handle->limit = handle->collecting ? cpl_check_size(L, 2) : 0;
  return 0;
}

/* handle:collected() -> the collected bytes, which the handle drops. May be called on a closed
 * handle. */
static int stream_collected(lua_State *L)
{
  cpl_stream_handle *handle = cpl_object_check(L, 1, cpl_stream_class);

  cpl_string_buffer_push(L, &handle->collected);
  return 1;
}

void cpl_add_stream(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", cpl_handle_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"setOwner", cpl_object_set_owner},
      {"close", stream_close},
      {"fileno", stream_fileno},
      {"hold", stream_hold},
      {"reference", stream_reference},
      {"share", stream_share},
      {"takeBack", stream_take_back},
      {"read", stream_read},
      {"collect", stream_collect},
      {"collected", stream_collected},
      {"endAfterRest", stream_end_after_rest},
      {"isHeld", stream_is_held},
      {NULL, NULL},
  };

  cpl_object_class(L, cpl_stream_class, metamethods, methods);
  lua_pushcfunction(L, stream_borrow);
  lua_setfield(L, -2, "stream");
  lua_pushcfunction(L, stream_open_socket);
  lua_setfield(L, -2, "openSocket");
  cp_lua_keep_function(L, push_socket);
}
