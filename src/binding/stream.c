#include "stream.h"

#include "../core/buffer.h"
#include "../core/pipe.h"
#include "../core/socket.h"
#include "../core/splice.h"
#include "../core/stream.h"
#include "handle.h"
#include "object.h"
#include "string_buffer.h"

#include <fcntl.h>
#include <stdint.h>

static const char CLASS[] = "child_process.StreamHandle";

/* As many pieces as one system call takes on every system. */
enum { VECTOR_SIZE = 16 };

typedef struct stream_handle {
  cp_handle base;
  cp_stream *stream; /* NULL after close */
  bool held;         /* it stays until it is closed, whether something can come or not */
  /* Output that is collected instead of being handed over piece by piece. */
  cp_buffer collected;
  size_t limit;
  bool collecting;
  /* The transfer from this stream to another. */
  cp_splice *splice;
  struct stream_handle *splice_target;
  struct stream_handle *splice_source;
} stream_handle;

/* A transfer switches between waiting for the one and the other by itself, so both stay as long as it
 * lasts. */
static bool is_active(const cp_handle *base)
{
  const stream_handle *handle = (const stream_handle *)base;

  return handle->splice != NULL || handle->splice_source != NULL ||
         (handle->stream != NULL && (handle->held || cp_stream_is_active(handle->stream)));
}

/* Callbacks. */

typedef struct read_event {
  const cp_handle *handle;
  const char *data;
  ssize_t n;
} read_event;

static int call_on_read(lua_State *L)
{
  const read_event *event = lua_touserdata(L, 1);

  cp_handle_push_owner(L, event->handle);
  if (event->n > 0) {
    lua_pushlstring(L, event->data, (size_t)event->n);
    cp_state_dispatch(L, "onread", 1);
  } else {
    lua_pushnil(L);
    if (event->n < 0) {
      lua_pushinteger(L, event->n);
    } else {
      lua_pushnil(L);
    }
    cp_state_dispatch(L, "onread", 2);
  }
  return 0;
}

/* Returns true when Lua has to hear of it. */
static bool collect(stream_handle *handle, read_event *event)
{
  size_t room = handle->limit - handle->collected.length;
  size_t n = (size_t)event->n;
  int r = cp_buffer_append(&handle->collected, event->data, n < room ? n : room);

  if (r < 0) {
    event->n = r;
    return true;
  }
  if (n > room) {
    handle->collecting = false;
    cp_handle_tell(&handle->base, "onoverflow");
  }
  return false;
}

static void on_read(cp_stream *stream, const char *data, ssize_t n)
{
  stream_handle *handle = stream->owner;
  read_event event = {&handle->base, data, n};

  if (!(handle->collecting && n > 0) || collect(handle, &event)) {
    cp_handle_call(&handle->base, call_on_read, &event);
  }
}

static void on_room(cp_stream *stream)
{
  cp_handle_tell(stream->owner, "onroom");
}

static void on_hangup(cp_stream *stream)
{
  cp_handle_tell(stream->owner, "onhangup");
}

static const cp_stream_callbacks callbacks = {on_read, on_room, on_hangup};

/* Life. */

void cp_stream_handle_push(lua_State *L, cp_state *state, int fd, int flags)
{
  stream_handle *handle = cp_handle_new(L, state, CLASS, sizeof(*handle), is_active);

  handle->stream = cp_stream_new(&state->loop, fd, flags, &callbacks, handle);
  if (handle->stream == NULL) {
    luaL_error(L, "child_process: not enough memory for a stream");
  }
}

static int push_socket(lua_State *L)
{
  const int *fd = lua_touserdata(L, 1);

  cp_stream_handle_push(L, cp_state_check(L), *fd, CP_STREAM_READABLE | CP_STREAM_WRITABLE);
  return 1;
}

void cp_stream_handle_push_socket(lua_State *L, int fd)
{
  cp_handle_push_owner_of(L, fd, push_socket, &fd);
}

static void stop_splice(stream_handle *handle)
{
  stream_handle *source = handle->splice_source != NULL ? handle->splice_source : handle;
  stream_handle *target = source->splice_target;

  if (source->splice != NULL) {
    source->splice = cp_splice_stop(source->splice);
    source->splice_target = NULL;
    target->splice_source = NULL;
    cp_handle_release_if_idle(&source->base);
    cp_handle_release_if_idle(&target->base);
  }
}

static void close_handle(stream_handle *handle)
{
  stop_splice(handle);
  handle->stream = cp_stream_close(handle->stream);
  cp_buffer_free(&handle->collected);
}

static int stream_gc(lua_State *L)
{
  close_handle(lua_touserdata(L, 1));
  return 0;
}

static stream_handle *check_handle(lua_State *L)
{
  stream_handle *handle = cp_object_check(L, 1, CLASS);

  if (handle->stream == NULL) {
    luaL_error(L, "child_process: the stream handle is closed");
  }
  return handle;
}

/* stream(fd, readable, writable) -> handle on a descriptor of somebody else's. */
static int stream_borrow(lua_State *L)
{
  int fd = cp_check_int(L, 1);

  cp_stream_handle_push(L, cp_state_check(L), fd,
                        CP_STREAM_BORROWED | (lua_toboolean(L, 2) ? CP_STREAM_READABLE : 0) |
                            (lua_toboolean(L, 3) ? CP_STREAM_WRITABLE : 0));
  return 1;
}

/* openSocket(fd) -> handle that reads and writes the descriptor and closes it, and whether it can be read
 * and written; or nil, errno. The descriptor is taken over in any case. */
static int stream_open_socket(lua_State *L)
{
  int fd = cp_check_int(L, 1);
  int r = cp_socket_adopt(fd);

  if (r < 0) {
    cp_pipe_close(fd);
    return cp_push_failure(L, r);
  }
  cp_stream_handle_push_socket(L, fd);
  lua_pushboolean(L, r != O_WRONLY);
  lua_pushboolean(L, r != O_RDONLY);
  return 3;
}

/* handle:hold(): from now on it is not collected before it is closed. */
static int stream_hold(lua_State *L)
{
  stream_handle *handle = check_handle(L);

  cp_handle_anchor(L, &handle->base, 1);
  handle->held = true;
  return 0;
}

/* handle:close(): no callback comes after. May be called again. */
static int stream_close(lua_State *L)
{
  stream_handle *handle = cp_object_check(L, 1, CLASS);

  close_handle(handle);
  cp_handle_release_if_idle(&handle->base);
  return 0;
}

/* handle:fileno() -> descriptor */
static int stream_fileno(lua_State *L)
{
  lua_pushinteger(L, check_handle(L)->stream->fd);
  return 1;
}

/* handle:reference(on): whether it keeps the loop alive. */
static int stream_reference(lua_State *L)
{
  return cp_push_errno(L, cp_stream_reference(check_handle(L)->stream, lua_toboolean(L, 2)));
}

/* handle:share(): a child has got the descriptor. */
static int stream_share(lua_State *L)
{
  check_handle(L)->stream->flags |= CP_STREAM_SHARED;
  return 0;
}

/* handle:takeBack(): another program had the descriptor for a while. */
static int stream_take_back(lua_State *L)
{
  cp_stream_take_back(check_handle(L)->stream);
  return 0;
}

/* handle:read(on) -> errno. Calls owner:onread(bytes), at the end owner:onread(nil), on failure
 * owner:onread(nil, errno). */
static int stream_read(lua_State *L)
{
  stream_handle *handle = check_handle(L);

  cp_handle_anchor(L, &handle->base, 1);
  return cp_handle_settle(L, &handle->base, cp_stream_read(handle->stream, lua_toboolean(L, 2)));
}

/* handle:collect(limit): from now on reading keeps the bytes. When more than `limit` come,
 * owner:onoverflow() is called, the rest of that piece is dropped, and later ones go to onread.
 * handle:collect(): no longer. */
static int stream_collect(lua_State *L)
{
  stream_handle *handle = check_handle(L);

  handle->collecting = !lua_isnoneornil(L, 2);
  if (handle->collecting && handle->collected.data == NULL) {
    handle->collected = cp_string_buffer_new(L, handle->base.state->string_header);
  }
  handle->limit = handle->collecting ? (size_t)luaL_checkinteger(L, 2) : 0;
  return 0;
}

/* handle:collected() -> what was collected, and forgets it. */
static int stream_collected(lua_State *L)
{
  stream_handle *handle = cp_object_check(L, 1, CLASS);

  cp_string_buffer_push(L, &handle->collected);
  return 1;
}

static int push_written(lua_State *L, ssize_t n, size_t length)
{
  if (n >= 0) {
    lua_pushinteger(L, n);
    lua_pushboolean(L, (size_t)n == length);
    return 2;
  }
  return cp_push_failure(L, (int)n);
}

/* handle:write(bytes, offset) -> number of bytes taken after the first `offset`, and whether these
 * were all; or nil, errno. */
static int stream_write(lua_State *L)
{
  stream_handle *handle = check_handle(L);
  size_t length = 0;
  const char *data = luaL_checklstring(L, 2, &length);
  size_t offset = (size_t)luaL_optinteger(L, 3, 0);
  struct iovec piece = {0};

  luaL_argcheck(L, offset <= length, 3, "offset past the end");
  piece = (struct iovec){(char *)(uintptr_t)data + offset, length - offset};
  return push_written(L, cp_stream_write(handle->stream, &piece, 1), piece.iov_len);
}

/* handle:writev(pieces, first, last, offset) -> as write, for the strings pieces[first..last] (or as
 * many of them as go at a time), of whose first `offset` bytes are left out. */
static int stream_writev(lua_State *L)
{
  stream_handle *handle = check_handle(L);
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
  return push_written(L, cp_stream_write(handle->stream, vector, count), total);
}

/* handle:awaitRoom() -> errno. Calls owner:onroom() once. */
static int stream_await_room(lua_State *L)
{
  stream_handle *handle = check_handle(L);

  cp_handle_anchor(L, &handle->base, 1);
  return cp_handle_settle(L, &handle->base, cp_stream_await_room(handle->stream));
}

/* handle:awaitHangup() -> errno. Calls owner:onhangup() once, when nobody can read any more. */
static int stream_await_hangup(lua_State *L)
{
  stream_handle *handle = check_handle(L);

  cp_handle_anchor(L, &handle->base, 1);
  return cp_handle_settle(L, &handle->base, cp_stream_await_hangup(handle->stream));
}

/* handle:shutdown() -> errno */
static int stream_shutdown(lua_State *L)
{
  return cp_push_errno(L, cp_stream_shutdown(check_handle(L)->stream));
}

/* Splicing. */

typedef struct splice_event {
  const cp_handle *handle;
  size_t moved;
  cp_splice_state state;
  int error;
} splice_event;

static int call_on_splice(lua_State *L)
{
  static const char *const states[] = {NULL, "end", "read", "write", "refused"};
  const splice_event *event = lua_touserdata(L, 1);

  cp_handle_push_owner(L, event->handle);
  lua_pushinteger(L, (lua_Integer)event->moved);
  lua_pushstring(L, states[event->state]);
  lua_pushinteger(L, event->error);
  cp_state_dispatch(L, "onsplice", 3);
  return 0;
}

static void on_splice(void *owner, size_t moved, cp_splice_state state, int error)
{
  stream_handle *handle = owner;
  stream_handle *target = handle->splice_target;
  splice_event event = {&handle->base, moved, state, error};

  target->base.busy++;
  cp_handle_call(&handle->base, call_on_splice, &event);
  target->base.busy--;
  cp_handle_release_if_idle(&target->base);
}

/* handle:splice(target) -> errno. Moves everything that comes to another handle, in the kernel, and
 * calls owner:onsplice(moved, state, errno) with the number of bytes whenever some were moved. The
 * state is nil until the transfer has ended: "end", "read" or "write" (what failed), or "refused",
 * when the kernel does not do it for these two. */
static int stream_splice(lua_State *L)
{
  stream_handle *handle = check_handle(L);
  stream_handle *target = cp_object_check(L, 2, CLASS);
  int r = 0;

  luaL_argcheck(L, target->stream != NULL, 2, "closed");
  stop_splice(handle);
  stop_splice(target);
  cp_handle_anchor(L, &handle->base, 1);
  cp_handle_anchor(L, &target->base, 2);
  r = cp_splice_start(handle->stream, target->stream, on_splice, handle, &handle->splice);
  if (r == 0) {
    handle->splice_target = target;
    target->splice_source = handle;
  }
  cp_handle_release_if_idle(&target->base);
  return cp_handle_settle(L, &handle->base, r);
}

/* handle:unsplice(): ends the transfer; what was not moved is still to be read. */
static int stream_unsplice(lua_State *L)
{
  stop_splice(check_handle(L));
  return 0;
}

void cp_stream_functions(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", stream_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"setOwner", cp_object_set_owner}, {"close", stream_close},
      {"fileno", stream_fileno},         {"hold", stream_hold},
      {"reference", stream_reference},   {"share", stream_share},
      {"takeBack", stream_take_back},    {"read", stream_read},
      {"collect", stream_collect},       {"collected", stream_collected},
      {"write", stream_write},           {"writev", stream_writev},
      {"awaitRoom", stream_await_room},  {"awaitHangup", stream_await_hangup},
      {"shutdown", stream_shutdown},     {"splice", stream_splice},
      {"unsplice", stream_unsplice},     {NULL, NULL},
  };

  cp_object_class(L, CLASS, metamethods, methods);
  lua_pushcfunction(L, stream_borrow);
  lua_setfield(L, -2, "stream");
  lua_pushcfunction(L, stream_open_socket);
  lua_setfield(L, -2, "openSocket");
}
