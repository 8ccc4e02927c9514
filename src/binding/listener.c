/* Listening sockets: binds, listens, and calls the owner with each connection accepted. */
#include "core/net/listener.h"

#include "binding/address.h"
#include "binding/emit.h"
#include "binding/numbers.h"
#include "binding/parts.h"
#include "binding/stream.h"
#include "core/base/fd.h"
#include "core/net/socket.h"
#include "core/stream/stream.h"

static const char CLASS[] = "child_process.ListenerHandle";

static bool is_active(const cpl_handle *handle)
{
  return cp_listener_is_listening(handle->core);
}

/* Does not remove the path of a Unix socket, since the end of a program does not, either. */
static void close_handle(cpl_handle *handle)
{
  handle->core = cp_listener_close(handle->core);
}

static const cpl_handle_kind kind = {CLASS, is_active, close_handle};

typedef struct connection {
  cpl_state *state;
  int *fd;
} connection;

static void push_connection(lua_State *L, const void *argument)
{
  const connection *accepted = argument;

  cpl_stream_push(L, accepted->state, *accepted->fd, CP_STREAM_READABLE | CP_STREAM_WRITABLE);
  *accepted->fd = -1; /* the stream closes it */
}

static void on_connection(void *owner, int fd)
{
  cpl_handle *handle = owner;
  connection accepted = {handle->state, &fd};
  cpl_value values[] = {cpl_nil(), cpl_integer(fd)};

  if (fd < 0) {
    cpl_emit(handle, "onconnection", values, 2);
    return;
  }
  values[0] = cpl_pushed(push_connection, &accepted);
  cpl_emit(handle, "onconnection", values, 1);
  cp_fd_close(fd);
}

/* Lifetime. */

typedef struct new_listener {
  int fd;
  const cp_address *bound;
} new_listener;

static int push_listener(lua_State *L)
{
  const new_listener *made = lua_touserdata(L, 1);
  cpl_state *state = cpl_state_check(L);
  cpl_handle *handle = cpl_handle_new(L, state, &kind, sizeof(*handle));

  handle->core =
      cp_listener_new(&state->runtime.loop, made->fd, made->bound, on_connection, handle);
  if (handle->core == NULL) {
    return luaL_error(L, "child_process: not enough memory for a listener");
  }
  return 1;
}

/* Pushes a handle that owns the descriptor, which is closed if this raises; or nil, errno if the
 * descriptor is a negative errno. Returns the number of results. */
static int push_handle(lua_State *L, int fd, const cp_address *bound)
{
  new_listener made = {fd, bound};

  if (fd < 0) {
    return cpl_push_failure(L, fd);
  }
  cpl_handle_push_owning(L, fd, push_listener, &made);
  return 1;
}

/* bindListener(address, port, ipv6Only, reusePort) or bindListener(path) -> handle on a new socket,
 * which does not listen yet; or nil, errno. */
static int listener_bind(lua_State *L)
{
  cp_address address;
  int flags = (lua_toboolean(L, 3) ? CP_SOCKET_IPV6_ONLY : 0) |
              (lua_toboolean(L, 4) ? CP_SOCKET_REUSE_PORT : 0);
  int r = cpl_check_address(L, 1, &address);

  return push_handle(L, r < 0 ? r : cp_socket_bind(&address, flags), &address);
}

/* openListener(fd) -> handle on an existing socket, which may be listening already; or nil, errno.
 * Takes over the descriptor, and closes it on failure; but refuses a descriptor that an object of
 * ours owns with -EBADF. */
static int listener_open(lua_State *L)
{
  int fd = cpl_check_int(L, 1);
  int r = cp_socket_adopt(fd);

  return push_handle(L, r < 0 ? r : fd, NULL);
}

static cpl_handle *check_handle(lua_State *L)
{
  return cpl_handle_check(L, 1, CLASS);
}

static cp_listener *check_listener(lua_State *L)
{
  return check_handle(L)->core;
}

/* handle:close(): stops the callbacks, and removes the path that the socket was bound to. May be
 * called again. */
static int listener_close(lua_State *L)
{
  cpl_handle *handle = cpl_object_check(L, 1, CLASS);

  if (handle->core != NULL) {
    cp_listener_remove_path(handle->core);
    close_handle(handle);
    cpl_handle_release_if_idle(handle);
  }
  return 0;
}

/* handle:listen(backlog) -> errno. Calls owner:onconnection(streamHandle) for each connection, and
 * owner:onconnection(nil, errno) when it can accept no more. */
static int listener_listen(lua_State *L)
{
  cpl_handle *handle = check_handle(L);
  int backlog = cpl_check_int(L, 2);

  cpl_handle_anchor(L, handle, 1);
  return cpl_handle_settle(L, handle, cp_listener_start(handle->core, backlog));
}

/* handle:isListening() -> boolean; false once it is closed */
static int listener_is_listening(lua_State *L)
{
  const cpl_handle *handle = cpl_object_check(L, 1, CLASS);

  lua_pushboolean(L, handle->core != NULL && cp_listener_is_listening(handle->core));
  return 1;
}

/* handle:fileno() -> descriptor */
static int listener_fileno(lua_State *L)
{
  lua_pushinteger(L, cp_listener_descriptor(check_listener(L)));
  return 1;
}

/* handle:share(): call it when another program shares the descriptor and may make it blocking. */
static int listener_share(lua_State *L)
{
  cp_listener_share(check_listener(L));
  return 0;
}

/* handle:reference(on) -> errno: sets whether it keeps the loop alive. */
static int listener_reference(lua_State *L)
{
  return cpl_push_errno(L, cp_listener_reference(check_listener(L), lua_toboolean(L, 2)));
}

/* handle:address() -> table with address, family and port, or the path; or nil, errno. */
static int listener_address(lua_State *L)
{
  cp_address address;
  int r = cp_address_of_socket(&address, cp_listener_descriptor(check_listener(L)));

  return cpl_push_address_result(L, r, &address);
}

void cpl_add_listener(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", cpl_handle_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"setOwner", cpl_object_set_owner},
      {"close", listener_close},
      {"listen", listener_listen},
      {"isListening", listener_is_listening},
      {"fileno", listener_fileno},
      {"reference", listener_reference},
      {"address", listener_address},
      {"share", listener_share},
      {NULL, NULL},
  };
  static const luaL_Reg functions[] = {
      {"bindListener", listener_bind},
      {"openListener", listener_open},
      {NULL, NULL},
  };

  cpl_object_class(L, CLASS, metamethods, methods);
  luaL_setfuncs(L, functions, 0);
  cp_lua_keep_function(L, push_listener);
}
