/* Writes strings to streams, and waits for room. */
#include "binding/numbers.h"
#include "binding/parts.h"
#include "binding/stream.h"

#include <stdint.h>

/* As many pieces as one system call takes on every system. */
enum { VECTOR_SIZE = 16 };

static int push_written(lua_State *L, ssize_t n, size_t length)
{
  if (n >= 0) {
    lua_pushinteger(L, n);
    lua_pushboolean(L, (size_t)n == length);
    return 2;
  }
  return cpl_push_failure(L, (int)n);
}

/* handle:write(bytes, offset) -> number of bytes written after the first `offset`, and whether
 * these were all; or nil, errno */
static int stream_write(lua_State *L)
{
  cpl_stream_handle *handle = cpl_stream_handle_check(L);
  size_t length = 0;
  const char *data = luaL_checklstring(L, 2, &length);
  size_t offset = (size_t)luaL_optinteger(L, 3, 0);
  struct iovec piece = {0};

  luaL_argcheck(L, offset <= length, 3, "offset past the end");
  piece = (struct iovec){(char *)(uintptr_t)data + offset, length - offset};
  return push_written(L, cp_stream_write(handle->base.core, &piece, 1), piece.iov_len);
}

/* handle:writev(pieces, first, last, offset): like write, for the strings pieces[first..last],
 * without the first `offset` bytes of the first. Takes at most 16 of them at a time; the second
 * result is about these. */
static int stream_writev(lua_State *L)
{
  cpl_stream_handle *handle = cpl_stream_handle_check(L);
  lua_Integer first = luaL_checkinteger(L, 3);
  lua_Integer last = luaL_checkinteger(L, 4);
  size_t offset = (size_t)luaL_optinteger(L, 5, 0);
  struct iovec vector[VECTOR_SIZE];
  size_t total = 0;
  int count = 0;

  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checkstack(L, VECTOR_SIZE, NULL);
  for (; count < VECTOR_SIZE && first + count <= last; count++) {
    size_t length = 0;
    const char *data = NULL;

    /* The strings stay where they are: the table holds them. */
    lua_rawgeti(L, 2, first + count);
    data = luaL_checklstring(L, -1, &length);
    luaL_argcheck(L, offset <= length, 5, "offset past the end");
    vector[count] = (struct iovec){(char *)(uintptr_t)data + offset, length - offset};
    total += length - offset;
    offset = 0;
  }
  return push_written(L, cp_stream_write(handle->base.core, vector, count), total);
}

/* handle:awaitRoom() -> errno. Calls owner:onroom() once, when there is room to write. */
static int stream_await_room(lua_State *L)
{
  cpl_stream_handle *handle = cpl_stream_handle_check(L);

  cpl_handle_anchor(L, &handle->base, 1);
  return cpl_handle_settle(L, &handle->base, cp_stream_await_room(handle->base.core));
}

/* handle:awaitHangup() -> errno. Calls owner:onhangup() once, when the other end is closed. Only
 * for streams that are not read. */
static int stream_await_hangup(lua_State *L)
{
  cpl_stream_handle *handle = cpl_stream_handle_check(L);

  cpl_handle_anchor(L, &handle->base, 1);
  return cpl_handle_settle(L, &handle->base, cp_stream_await_hangup(handle->base.core));
}

/* handle:shutdown() -> errno: ends writing to a socket. */
static int stream_shutdown(lua_State *L)
{
  return cpl_push_errno(L, cp_stream_shutdown(cpl_stream_check(L)));
}

void cpl_add_stream_write(lua_State *L)
{
  static const luaL_Reg methods[] = {
      {"write", stream_write},          {"writev", stream_writev},
      {"awaitRoom", stream_await_room}, {"awaitHangup", stream_await_hangup},
      {"shutdown", stream_shutdown},    {NULL, NULL},
  };

  cpl_object_add_methods(L, cpl_stream_class, methods);
}
