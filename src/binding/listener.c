#include "listener.h"

#include "../core/listener.h"
#include "../core/pipe.h"
#include "../core/socket.h"
#include "../core/stream.h"
#include "address.h"
#include "handle.h"
#include "object.h"
#include "stream.h"

static const char CLASS[] = "child_process.ListenerHandle";

typedef struct listener_handle {
  cp_handle base;
  cp_listener *listener; /* NULL after close */
} listener_handle;

static bool is_active(const cp_handle *base)
{
  const cp_listener *listener = ((const listener_handle *)base)->listener;

  return listener != NULL && listener->listening;
}

/* Callbacks. */

typedef struct connection_event {
  const cp_handle *handle;
  int fd; /* -1 once somebody else has taken it */
} connection_event;

static int call_on_connection(lua_State *L)
{
  connection_event *event = lua_touserdata(L, 1);

  cp_handle_push_owner(L, event->handle);
  if (event->fd < 0) {
    lua_pushnil(L);
    lua_pushinteger(L, event->fd);
    cp_state_dispatch(L, "onconnection", 2);
    return 0;
  }
  cp_stream_handle_push(L, event->handle->state, event->fd,
                        CP_STREAM_READABLE | CP_STREAM_WRITABLE);
  event->fd = -1;
  cp_state_dispatch(L, "onconnection", 1);
  return 0;
}

static void on_connection(void *owner, int fd)
{
  listener_handle *handle = owner;
  connection_event event = {&handle->base, fd};

  cp_handle_call(&handle->base, call_on_connection, &event);
  if (event.fd >= 0) {
    cp_pipe_close(event.fd);
  }
}

/* Life. */

typedef struct new_listener {
  int fd;
  const cp_address *bound;
} new_listener;

static int push_listener(lua_State *L)
{
  const new_listener *made = lua_touserdata(L, 1);
  cp_state *state = cp_state_check(L);
  listener_handle *handle = cp_handle_new(L, state, CLASS, sizeof(*handle), is_active);

  handle->listener = cp_listener_new(&state->loop, made->fd, made->bound, on_connection, handle);
  if (handle->listener == NULL) {
    return luaL_error(L, "child_process: not enough memory for a listener");
  }
  return 1;
}

/* Pushes a handle that closes the descriptor, which is closed, too, if this raises; or nil, errno if
 * there is a negative errno in the place of a descriptor. Returns the number of results. */
static int push_handle(lua_State *L, int fd, const cp_address *bound)
{
  new_listener made = {fd, bound};

  if (fd < 0) {
    return cp_push_failure(L, fd);
  }
  cp_handle_push_owner_of(L, fd, push_listener, &made);
  return 1;
}

/* bindListener(address, port, ipv6Only) or bindListener(path) -> handle on a new socket, which does not
 * listen yet; or nil, errno. */
static int listener_bind(lua_State *L)
{
  cp_address address;
  bool ipv6_only = lua_toboolean(L, 3);
  int r = cp_check_address(L, 1, &address);

  return push_handle(L, r < 0 ? r : cp_socket_bind(&address, ipv6_only), &address);
}

/* openListener(fd) -> handle on a socket from elsewhere, which listens there or will do so here; or nil,
 * errno. The descriptor is taken over in any case. */
static int listener_open(lua_State *L)
{
  int fd = cp_check_int(L, 1);
  int r = cp_socket_adopt(fd);

  if (r < 0) {
    cp_pipe_close(fd);
  }
  return push_handle(L, r < 0 ? r : fd, NULL);
}

static listener_handle *check_handle(lua_State *L)
{
  listener_handle *handle = cp_object_check(L, 1, CLASS);

  if (handle->listener == NULL) {
    luaL_error(L, "child_process: the listener handle is closed");
  }
  return handle;
}

/* A state that is closed leaves the path, as a program does that ends. */
static int listener_gc(lua_State *L)
{
  listener_handle *handle = lua_touserdata(L, 1);

  handle->listener = cp_listener_close(handle->listener);
  return 0;
}

/* handle:close(): no callback comes after, and the path that it was bound to is removed. May be called
 * again. */
static int listener_close(lua_State *L)
{
  listener_handle *handle = cp_object_check(L, 1, CLASS);

  if (handle->listener != NULL) {
    cp_listener_remove_path(handle->listener);
    handle->listener = cp_listener_close(handle->listener);
    cp_handle_release_if_idle(&handle->base);
  }
  return 0;
}

/* handle:listen(backlog) -> errno. Calls owner:onconnection(streamHandle) from now on, and
 * owner:onconnection(nil, errno) if nothing more can come. */
static int listener_listen(lua_State *L)
{
  listener_handle *handle = check_handle(L);
  int backlog = cp_check_int(L, 2);

  cp_handle_anchor(L, &handle->base, 1);
  return cp_handle_settle(L, &handle->base, cp_listener_start(handle->listener, backlog));
}

/* handle:isListening() */
static int listener_is_listening(lua_State *L)
{
  const listener_handle *handle = cp_object_check(L, 1, CLASS);

  lua_pushboolean(L, handle->listener != NULL && handle->listener->listening);
  return 1;
}

/* handle:fileno() -> descriptor */
static int listener_fileno(lua_State *L)
{
  lua_pushinteger(L, check_handle(L)->listener->fd);
  return 1;
}

/* handle:reference(on): whether it keeps the loop alive. */
static int listener_reference(lua_State *L)
{
  return cp_push_errno(L, cp_listener_reference(check_handle(L)->listener, lua_toboolean(L, 2)));
}

/* handle:address() -> table with address, family and port, or the path; or nil, errno. */
static int listener_address(lua_State *L)
{
  cp_address address;
  int r = cp_address_of_socket(&address, check_handle(L)->listener->fd);

  return cp_push_address_result(L, r, &address);
}

void cp_listener_functions(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", listener_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"setOwner", cp_object_set_owner}, {"close", listener_close},
      {"listen", listener_listen},       {"isListening", listener_is_listening},
      {"fileno", listener_fileno},       {"reference", listener_reference},
      {"address", listener_address},     {NULL, NULL},
  };
  static const luaL_Reg functions[] = {
      {"bindListener", listener_bind},
      {"openListener", listener_open},
      {NULL, NULL},
  };

  cp_object_class(L, CLASS, metamethods, methods);
  luaL_setfuncs(L, functions, 0);
}
