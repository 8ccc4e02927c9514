/* UDP sockets: binds, connects, sends, and calls the owner with each datagram received. */
#include "binding/datagram.h"

#include "binding/address.h"
#include "binding/emit.h"
#include "binding/numbers.h"
#include "binding/parts.h"
#include "core/base/fd.h"
#include "core/base/owned.h"

const char cpl_datagram_class[] = "child_process.DatagramHandle";

static bool is_active(const cpl_handle *handle)
{
  return cp_datagram_is_active(handle->core);
}

static void close_handle(cpl_handle *handle)
{
  handle->core = cp_datagram_close(handle->core);
}

static const cpl_handle_kind kind = {cpl_datagram_class, is_active, close_handle};

/* Callbacks. */

static void push_sender(lua_State *L, const void *address)
{
  cpl_push_address(L, address);
}

static void on_datagram(cp_datagram *datagram, const char *data, size_t n, const cp_address *from)
{
  cpl_value values[] = {cpl_bytes(data, n), cpl_pushed(push_sender, from)};

  cpl_emit(datagram->owner, "ondatagram", values, 2);
}

static void on_error(cp_datagram *datagram, int error)
{
  cpl_value value = cpl_integer(error);

  cpl_emit(datagram->owner, "onreceiveerror", &value, 1);
}

static void on_room(cp_datagram *datagram)
{
  cpl_emit(datagram->owner, "onroom", NULL, 0);
}

static const cp_datagram_callbacks callbacks = {on_datagram, on_error, on_room};

/* Lifetime. */

static void push_handle(lua_State *L, int family, int fd)
{
  cpl_state *state = cpl_state_check(L);
  cpl_handle *handle = cpl_handle_new(L, state, &kind, sizeof(*handle));

  handle->core = cp_datagram_new(&state->runtime.loop, family, fd, &callbacks, handle);
  if (handle->core == NULL) {
    luaL_error(L, "child_process: not enough memory for a socket");
  }
}

/* datagram(family) -> handle without a socket, which `bind` makes. The family is 4 or 6. */
static int datagram_new(lua_State *L)
{
  int family = cpl_check_int(L, 1);

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

/* openDatagram(fd, copy) -> handle on an existing UDP socket; or nil, errno. Takes over the
 * descriptor in any case, and closes it if it cannot be used; but refuses a descriptor that an
 * object of ours owns with -EBADF. If `copy` is true, the handle owns a copy, and the descriptor
 * stays with its owner. */
static int datagram_open(lua_State *L)
{
  int given = cpl_check_int(L, 1);
  open_socket socket = {.fd = lua_toboolean(L, 2) ? cp_fd_copy(given) : given};

  if (!lua_toboolean(L, 2) && cp_owned_has(given)) {
    return cpl_push_failure(L, -EBADF);
  }
  if (socket.fd < 0) {
    return cpl_push_failure(L, socket.fd);
  }
  socket.family = cp_datagram_family_of(socket.fd);
  if (socket.family < 0) {
    cp_fd_close(socket.fd);
    return cpl_push_failure(L, socket.family);
  }
  cpl_handle_push_owning(L, socket.fd, push_open, &socket);
  return 1;
}

/* isFreeDatagram(value) -> whether it is an open handle that is bound and has no owner */
static int datagram_is_free(lua_State *L)
{
  const cpl_handle *handle = cpl_object_test(L, 1, cpl_datagram_class);

  lua_pushboolean(L, handle != NULL && handle->core != NULL &&
                         cp_datagram_descriptor(handle->core) != -1 &&
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

/* datagramFamily(fd) -> 4 or 6; nil if the descriptor is not a UDP socket */
static int datagram_family_of(lua_State *L)
{
  return push_family(L, cp_datagram_family_of(cpl_check_int(L, 1)));
}

/* handle:close(): stops the callbacks. May be called again. */
static int datagram_close(lua_State *L)
{
  cpl_handle *handle = cpl_object_check(L, 1, cpl_datagram_class);

  close_handle(handle);
  cpl_handle_release_if_idle(handle);
  return 0;
}

/* handle:fileno() -> descriptor, -1 before the socket is bound */
static int datagram_fileno(lua_State *L)
{
  lua_pushinteger(L, cp_datagram_descriptor(cpl_datagram_check(L)));
  return 1;
}

/* handle:family() -> 4 or 6 */
static int datagram_family(lua_State *L)
{
  return push_family(L, cp_datagram_family(cpl_datagram_check(L)));
}

/* handle:reference(on) -> errno: sets whether it keeps the loop alive. */
static int datagram_reference(lua_State *L)
{
  return cpl_push_errno(L, cp_datagram_reference(cpl_datagram_check(L), lua_toboolean(L, 2)));
}

/* Addresses. */

/* handle:bind(address, port, reuseAddr, ipv6Only, reusePort) -> errno. Addresses are numeric, here
 * and below. */
static int datagram_bind(lua_State *L)
{
  cp_datagram *datagram = cpl_datagram_check(L);
  cp_address address;
  int r = cpl_check_address(L, 2, &address);

  if (r == 0) {
    r = cp_datagram_bind(datagram, &address,
                         (lua_toboolean(L, 4) ? CP_DATAGRAM_REUSE_ADDRESS : 0) |
                             (lua_toboolean(L, 5) ? CP_DATAGRAM_IPV6_ONLY : 0) |
                             (lua_toboolean(L, 6) ? CP_DATAGRAM_REUSE_PORT : 0));
  }
  return cpl_push_errno(L, r);
}

/* handle:connect(address, port) -> errno. Without an address, disconnects. */
static int datagram_connect(lua_State *L)
{
  cp_datagram *datagram = cpl_datagram_check(L);
  cp_address address;
  int r = 0;

  if (lua_isnoneornil(L, 2)) {
    return cpl_push_errno(L, cp_datagram_connect(datagram, NULL));
  }
  r = cpl_check_address(L, 2, &address);
  return cpl_push_errno(L, r == 0 ? cp_datagram_connect(datagram, &address) : r);
}

/* handle:address() -> table with address, family and port that it is bound to; or nil, errno */
static int datagram_address(lua_State *L)
{
  cp_address address;
  int r = cp_address_of_socket(&address, cp_datagram_descriptor(cpl_datagram_check(L)));

  return cpl_push_address_result(L, r, &address);
}

/* handle:peer() -> the same for the connected peer; or nil, errno */
static int datagram_peer(lua_State *L)
{
  cp_address address;
  int r = cp_address_of_peer(&address, cp_datagram_descriptor(cpl_datagram_check(L)));

  return cpl_push_address_result(L, r, &address);
}

/* Datagrams. */

/* handle:receive() -> errno. Calls owner:ondatagram(bytes, address) for each datagram, and
 * owner:onreceiveerror(errno) when receiving fails. Receiving goes on until the handle is
 * closed. */
static int datagram_receive(lua_State *L)
{
  cpl_handle *handle = cpl_handle_check(L, 1, cpl_datagram_class);

  cpl_handle_anchor(L, handle, 1);
  return cpl_handle_settle(L, handle, cp_datagram_receive(handle->core));
}

/* handle:awaitRoom() -> errno. Calls owner:onroom() once, when there is room to send. */
static int datagram_await_room(lua_State *L)
{
  cpl_handle *handle = cpl_handle_check(L, 1, cpl_datagram_class);

  cpl_handle_anchor(L, handle, 1);
  return cpl_handle_settle(L, handle, cp_datagram_await_room(handle->core));
}

/* handle:send(bytes, address, port) -> number of bytes; or nil, errno, which is -EAGAIN when there
 * is no room. Without an address, sends to the peer. */
static int datagram_send(lua_State *L)
{
  const cp_datagram *datagram = cpl_datagram_check(L);
  size_t length = 0;
  const char *data = luaL_checklstring(L, 2, &length);
  bool has_address = !lua_isnoneornil(L, 3);
  cp_address address;
  ssize_t n = has_address ? cpl_check_address(L, 3, &address) : 0;

  if (n == 0) {
    n = cp_datagram_send(datagram, data, length, has_address ? &address : NULL);
  }
  if (n < 0) {
    return cpl_push_failure(L, (int)n);
  }
  lua_pushinteger(L, n);
  return 1;
}

void cpl_add_datagram(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", cpl_handle_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"setOwner", cpl_object_set_owner},
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
      {NULL, NULL},
  };
  static const luaL_Reg functions[] = {
      {"datagram", datagram_new},
      {"openDatagram", datagram_open},
      {"isFreeDatagram", datagram_is_free},
      {"datagramFamily", datagram_family_of},
      {NULL, NULL},
  };

  cpl_object_class(L, cpl_datagram_class, metamethods, methods);
  luaL_setfuncs(L, functions, 0);
  cp_lua_keep_function(L, push_open);
}
