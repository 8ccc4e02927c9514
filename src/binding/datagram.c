#include "datagram.h"

#include "../core/datagram.h"
#include "../core/datagram_options.h"
#include "../core/pipe.h"
#include "address.h"
#include "handle.h"
#include "object.h"

static const char CLASS[] = "child_process.DatagramHandle";

typedef struct datagram_handle {
  cp_handle base;
  cp_datagram *datagram; /* NULL after close */
} datagram_handle;

static bool is_active(const cp_handle *base)
{
  const cp_datagram *datagram = ((const datagram_handle *)base)->datagram;

  return datagram != NULL && cp_datagram_is_active(datagram);
}

/* Callbacks. */

typedef struct datagram_event {
  const cp_handle *handle;
  const char *data;
  size_t length;
  const cp_address *from;
} datagram_event;

static int call_on_datagram(lua_State *L)
{
  const datagram_event *event = lua_touserdata(L, 1);

  cp_handle_push_owner(L, event->handle);
  lua_pushlstring(L, event->data, event->length);
  cp_push_address(L, event->from);
  cp_state_dispatch(L, "ondatagram", 2);
  return 0;
}

static void on_datagram(cp_datagram *datagram, const char *data, size_t n, const cp_address *from)
{
  datagram_event event = {datagram->owner, data, n, from};

  cp_handle_call(datagram->owner, call_on_datagram, &event);
}

typedef struct error_event {
  const cp_handle *handle;
  int error;
} error_event;

static int call_on_error(lua_State *L)
{
  const error_event *event = lua_touserdata(L, 1);

  cp_handle_push_owner(L, event->handle);
  lua_pushinteger(L, event->error);
  cp_state_dispatch(L, "onreceiveerror", 1);
  return 0;
}

static void on_error(cp_datagram *datagram, int error)
{
  error_event event = {datagram->owner, error};

  cp_handle_call(datagram->owner, call_on_error, &event);
}

static void on_room(cp_datagram *datagram)
{
  cp_handle_tell(datagram->owner, "onroom");
}

static const cp_datagram_callbacks callbacks = {on_datagram, on_error, on_room};

/* Life. */

static void push_handle(lua_State *L, int family, int fd)
{
  cp_state *state = cp_state_check(L);
  datagram_handle *handle = cp_handle_new(L, state, CLASS, sizeof(*handle), is_active);

  handle->datagram = cp_datagram_new(&state->loop, family, fd, &callbacks, handle);
  if (handle->datagram == NULL) {
    luaL_error(L, "child_process: not enough memory for a socket");
  }
}

/* datagram(family) -> handle. The family is 4 or 6; binding makes the socket. */
static int datagram_new(lua_State *L)
{
  int family = cp_check_int(L, 1);

  luaL_argcheck(L, family == 4 || family == 6, 1, "4 or 6 expected");
  push_handle(L, family == 4 ? AF_INET : AF_INET6, -1);
  return 1;
}

typedef struct open_socket {
  int family;
  int fd;
} open_socket;

static int push_open(lua_State *L)
{
  const open_socket *socket = lua_touserdata(L, 1);

  push_handle(L, socket->family, socket->fd);
  return 1;
}

/* openDatagram(fd, copy) -> handle on a UDP socket that exists; or nil, errno. The descriptor is taken over in
 * any case, and closed if it cannot be used; with `copy` it stays whose it is, and the handle has another
 * one. */
static int datagram_open(lua_State *L)
{
  int given = cp_check_int(L, 1);
  open_socket socket = {.fd = lua_toboolean(L, 2) ? cp_pipe_copy(given) : given};

  if (socket.fd < 0) {
    return cp_push_failure(L, socket.fd);
  }
  socket.family = cp_datagram_family_of(socket.fd);
  if (socket.family < 0) {
    cp_pipe_close(socket.fd);
    return cp_push_failure(L, socket.family);
  }
  cp_handle_push_owner_of(L, socket.fd, push_open, &socket);
  return 1;
}

/* isFreeDatagram(value): is it a handle that is open and that nobody has made his own? */
static int datagram_is_free(lua_State *L)
{
  const datagram_handle *handle = cp_object_test(L, 1, CLASS);

  lua_pushboolean(L, handle != NULL && handle->datagram != NULL && handle->datagram->fd != -1 &&
                         lua_getiuservalue(L, 1, 1) == LUA_TNIL);
  return 1;
}

static int push_family(lua_State *L, int family)
{
  if (family < 0) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, family == AF_INET ? 4 : 6);
  }
  return 1;
}

/* datagramFamily(fd) -> 4 or 6, nil if the descriptor is no UDP socket. */
static int datagram_family_of(lua_State *L)
{
  return push_family(L, cp_datagram_family_of(cp_check_int(L, 1)));
}

static int datagram_gc(lua_State *L)
{
  datagram_handle *handle = lua_touserdata(L, 1);

  handle->datagram = cp_datagram_close(handle->datagram);
  return 0;
}

static datagram_handle *check_handle(lua_State *L)
{
  datagram_handle *handle = cp_object_check(L, 1, CLASS);

  if (handle->datagram == NULL) {
    luaL_error(L, "child_process: the socket is closed");
  }
  return handle;
}

/* handle:close(): no callback comes after. May be called again. */
static int datagram_close(lua_State *L)
{
  datagram_handle *handle = cp_object_check(L, 1, CLASS);

  handle->datagram = cp_datagram_close(handle->datagram);
  cp_handle_release_if_idle(&handle->base);
  return 0;
}

/* handle:fileno() -> descriptor, -1 before it is bound */
static int datagram_fileno(lua_State *L)
{
  lua_pushinteger(L, check_handle(L)->datagram->fd);
  return 1;
}

/* handle:family() -> 4 or 6 */
static int datagram_family(lua_State *L)
{
  return push_family(L, check_handle(L)->datagram->family);
}

/* handle:reference(on): whether it keeps the loop alive. */
static int datagram_reference(lua_State *L)
{
  return cp_push_errno(L, cp_datagram_reference(check_handle(L)->datagram, lua_toboolean(L, 2)));
}

/* Where it is. */

/* handle:bind(address, port, reuse, ipv6Only) -> errno. The address is in digits, here and below. */
static int datagram_bind(lua_State *L)
{
  cp_datagram *datagram = check_handle(L)->datagram;
  cp_address address;
  int r = cp_check_address(L, 2, &address);

  if (r == 0) {
    r = cp_datagram_bind(datagram, &address,
                         (lua_toboolean(L, 4) ? CP_DATAGRAM_REUSE_ADDRESS : 0) |
                             (lua_toboolean(L, 5) ? CP_DATAGRAM_IPV6_ONLY : 0));
  }
  return cp_push_errno(L, r);
}

/* handle:connect(address, port) -> errno; without an address it has no peer any more. */
static int datagram_connect(lua_State *L)
{
  cp_datagram *datagram = check_handle(L)->datagram;
  cp_address address;
  int r = 0;

  if (lua_isnoneornil(L, 2)) {
    return cp_push_errno(L, cp_datagram_connect(datagram, NULL));
  }
  r = cp_check_address(L, 2, &address);
  return cp_push_errno(L, r == 0 ? cp_datagram_connect(datagram, &address) : r);
}

/* handle:address() -> where it is bound, as a table; or nil, errno */
static int datagram_address(lua_State *L)
{
  cp_address address;
  int r = cp_address_of_socket(&address, check_handle(L)->datagram->fd);

  return cp_push_address_result(L, r, &address);
}

/* handle:peer() -> where it is connected to; or nil, errno */
static int datagram_peer(lua_State *L)
{
  cp_address address;
  int r = cp_address_of_peer(&address, check_handle(L)->datagram->fd);

  return cp_push_address_result(L, r, &address);
}

/* Datagrams. */

/* handle:receive() -> errno. Calls owner:ondatagram(bytes, address) for each datagram, and
 * owner:onreceiveerror(errno) when receiving failed, after which it goes on. */
static int datagram_receive(lua_State *L)
{
  datagram_handle *handle = check_handle(L);

  cp_handle_anchor(L, &handle->base, 1);
  return cp_handle_settle(L, &handle->base, cp_datagram_receive(handle->datagram));
}

/* handle:awaitRoom() -> errno. Calls owner:onroom() once. */
static int datagram_await_room(lua_State *L)
{
  datagram_handle *handle = check_handle(L);

  cp_handle_anchor(L, &handle->base, 1);
  return cp_handle_settle(L, &handle->base, cp_datagram_await_room(handle->datagram));
}

/* handle:send(bytes, address, port) -> number of bytes; or nil, errno, which is -EAGAIN when there is no room.
 * Without an address it goes to the peer. */
static int datagram_send(lua_State *L)
{
  const cp_datagram *datagram = check_handle(L)->datagram;
  size_t length = 0;
  const char *data = luaL_checklstring(L, 2, &length);
  bool has_address = !lua_isnoneornil(L, 3);
  cp_address address;
  ssize_t n = has_address ? cp_check_address(L, 3, &address) : 0;

  if (n == 0) {
    n = cp_datagram_send(datagram, data, length, has_address ? &address : NULL);
  }
  if (n < 0) {
    return cp_push_failure(L, (int)n);
  }
  lua_pushinteger(L, n);
  return 1;
}

/* Options. */

static cp_datagram_option check_option(lua_State *L, int index)
{
  static const char *const names[] = {
      "broadcast",      "ttl", "multicastTtl", "multicastLoopback", "recvBufferSize",
      "sendBufferSize", NULL,
  };
  static const cp_datagram_option options[] = {
      CP_DATAGRAM_BROADCAST,      CP_DATAGRAM_TTL,
      CP_DATAGRAM_MULTICAST_TTL,  CP_DATAGRAM_MULTICAST_LOOPBACK,
      CP_DATAGRAM_RECEIVE_BUFFER, CP_DATAGRAM_SEND_BUFFER,
  };

  return options[luaL_checkoption(L, index, NULL, names)];
}

/* handle:set(option, value) -> errno */
static int datagram_set(lua_State *L)
{
  const cp_datagram *datagram = check_handle(L)->datagram;
  cp_datagram_option option = check_option(L, 2);

  return cp_push_errno(L, cp_datagram_set(datagram, option, cp_check_int(L, 3)));
}

/* handle:get(option) -> value; or nil, errno */
static int datagram_get(lua_State *L)
{
  int value = 0;
  int r = cp_datagram_get(check_handle(L)->datagram, check_option(L, 2), &value);

  if (r < 0) {
    return cp_push_failure(L, r);
  }
  lua_pushinteger(L, value);
  return 1;
}

/* handle:membership(join, group, interface) -> errno */
static int datagram_membership(lua_State *L)
{
  const cp_datagram *datagram = check_handle(L)->datagram;
  bool has_interface = !lua_isnoneornil(L, 4);
  cp_address group;
  cp_address interface;
  int r = cp_check_digits(L, 3, &group);

  if (r == 0 && has_interface) {
    r = cp_check_digits(L, 4, &interface);
  }
  if (r == 0) {
    r = cp_datagram_membership(datagram, lua_toboolean(L, 2), &group,
                               has_interface ? &interface : NULL);
  }
  return cp_push_errno(L, r);
}

/* handle:multicastInterface(address) -> errno */
static int datagram_multicast_interface(lua_State *L)
{
  const cp_datagram *datagram = check_handle(L)->datagram;
  cp_address interface;
  int r = cp_check_digits(L, 2, &interface);

  return cp_push_errno(L, r == 0 ? cp_datagram_multicast_interface(datagram, &interface) : r);
}

void cp_datagram_functions(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", datagram_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"setOwner", cp_object_set_owner},
      {"close", datagram_close},
      {"fileno", datagram_fileno},
      {"family", datagram_family},
      {"reference", datagram_reference},
      {"bind", datagram_bind},
      {"connect", datagram_connect},
      {"address", datagram_address},
      {"peer", datagram_peer},
      {"receive", datagram_receive},
      {"awaitRoom", datagram_await_room},
      {"send", datagram_send},
      {"set", datagram_set},
      {"get", datagram_get},
      {"membership", datagram_membership},
      {"multicastInterface", datagram_multicast_interface},
      {NULL, NULL},
  };
  static const luaL_Reg functions[] = {
      {"datagram", datagram_new},
      {"openDatagram", datagram_open},
      {"isFreeDatagram", datagram_is_free},
      {"datagramFamily", datagram_family_of},
      {NULL, NULL},
  };

  cp_object_class(L, CLASS, metamethods, methods);
  luaL_setfuncs(L, functions, 0);
}
