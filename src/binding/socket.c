/* Connects sockets, and sets and reads their properties. */
#include "core/net/socket.h"

#include "binding/address.h"
#include "binding/numbers.h"
#include "binding/parts.h"
#include "binding/stream.h"
#include "compat/lua.h"
#include "core/base/fd.h"
#include "core/base/owned.h"

/* connect(address, port, localAddress, localPort) or connect(path) -> stream handle that is
 * connecting. Once it has room, socketError returns the result. Or nil, errno, and the call that
 * failed, "bind" or "connect". */
static int socket_connect(lua_State *L)
{
  cp_address address;
  cp_address local;
  bool has_local = !lua_isnoneornil(L, 3);
  const char *call = "connect";
  int r = cpl_check_address(L, 1, &address);

  if (r == 0 && has_local) {
    r = cpl_check_address(L, 3, &local);
  }
  if (r == 0) {
    r = cp_socket_connect(&address, has_local ? &local : NULL, &call);
  }
  if (r < 0) {
    int results = cpl_push_failure(L, r);

    lua_pushstring(L, call);
    return results + 1;
  }
  cpl_stream_push_socket(L, r);
  return 1;
}

/* socketError(fd) -> pending error of the socket, which it clears; or nil */
static int socket_error(lua_State *L)
{
  return cpl_push_errno(L, cp_socket_take_error(cpl_check_int(L, 1)));
}

/* copySocket(fd) -> another descriptor of the same socket; or nil, errno. */
static int socket_copy(lua_State *L)
{
  int fd = cp_fd_copy(cpl_check_int(L, 1));

  if (fd < 0) {
    return cpl_push_failure(L, fd);
  }
  lua_pushinteger(L, fd);
  return 1;
}

/* isConnection(fd) -> whether it is a stream socket, a pipe or a terminal */
static int socket_is_connection(lua_State *L)
{
  lua_pushboolean(L, cp_socket_is_connection(cpl_check_int(L, 1)));
  return 1;
}

/* isOwned(fd) -> whether an object of this module owns it */
static int socket_is_owned(lua_State *L)
{
  lua_pushboolean(L, cp_owned_has(cpl_check_int(L, 1)));
  return 1;
}

/* setNoDelay(fd, on) -> errno */
static int socket_no_delay(lua_State *L)
{
  return cpl_push_errno(L, cp_socket_no_delay(cpl_check_int(L, 1), lua_toboolean(L, 2)));
}

/* setKeepAlive(fd, on, seconds) -> errno. Probes start after `seconds` without traffic; 0 leaves
 * the time to the system. */
static int socket_keep_alive(lua_State *L)
{
  return cpl_push_errno(
      L, cp_socket_keep_alive(cpl_check_int(L, 1), lua_toboolean(L, 2), cpl_check_int(L, 3)));
}

/* resetOnClose(fd) -> errno: closing the socket will reset the connection. */
static int socket_reset_on_close(lua_State *L)
{
  return cpl_push_errno(L, cp_socket_reset_on_close(cpl_check_int(L, 1)));
}

/* Pushes address, family and port; three times nil if the address has no port. */
static void push_name(lua_State *L, const cp_address *address, int r)
{
  char text[CP_ADDRESS_SIZE];
  int family = r < 0 ? 0 : cp_address_family(address);

  if (family == 0) {
    lua_settop(L, lua_gettop(L) + 3);
  } else {
    lua_pushlstring(L, text, cp_address_text(address, text));
    lua_pushstring(L, cpl_family_name(family));
    lua_pushinteger(L, cp_address_port(address));
  }
}

/* socketNames(fd) -> address, family and port of the peer, then the same of the socket itself: six
 * values, nil for Unix sockets and for ends without an address. */
static int socket_names(lua_State *L)
{
  int fd = cpl_check_int(L, 1);
  cp_address address;
  int r = cp_address_of_peer(&address, fd);

  luaL_checkstack(L, 6, NULL);
  push_name(L, &address, r);
  r = cp_address_of_socket(&address, fd);
  push_name(L, &address, r);
  return 6;
}

/* addressFamily(text) -> 4 or 6 if it is a numeric address, else 0 */
static int socket_address_family(lua_State *L)
{
  cp_address address;

  lua_pushinteger(L, cpl_check_digits(L, 1, &address) == 0 ? cp_address_family(&address) : 0);
  return 1;
}

void cpl_add_socket(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"connect", socket_connect},
      {"socketError", socket_error},
      {"copySocket", socket_copy},
      {"isConnection", socket_is_connection},
      {"isOwned", socket_is_owned},
      {"setNoDelay", socket_no_delay},
      {"setKeepAlive", socket_keep_alive},
      {"resetOnClose", socket_reset_on_close},
      {"socketNames", socket_names},
      {"addressFamily", socket_address_family},
      {NULL, NULL},
  };

  luaL_setfuncs(L, functions, 0);
}
