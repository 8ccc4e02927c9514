#include "socket.h"

#include "../core/pipe.h"
#include "../core/socket.h"
#include "address.h"
#include "object.h"
#include "stream.h"

#include <lauxlib.h>

/* connect(address, port, localAddress, localPort) or connect(path) -> stream handle, which connects; when
 * it has room, socketError tells how that went. Or nil, errno, and "bind" or "connect". */
static int socket_connect(lua_State *L)
{
  cp_address address;
  cp_address local;
  bool has_local = !lua_isnoneornil(L, 3);
  const char *call = "connect";
  int r = cp_check_address(L, 1, &address);

  if (r == 0 && has_local) {
    r = cp_check_address(L, 3, &local);
  }
  if (r == 0) {
    r = cp_socket_connect(&address, has_local ? &local : NULL, &call);
  }
  if (r < 0) {
    int results = cp_push_failure(L, r);

    lua_pushstring(L, call);
    return results + 1;
  }
  cp_stream_handle_push_socket(L, r);
  return 1;
}

/* socketError(fd) -> errno of what has happened to the socket, nil if nothing has. */
static int socket_error(lua_State *L)
{
  return cp_push_errno(L, cp_socket_error(cp_check_int(L, 1)));
}

/* copySocket(fd) -> another descriptor of the same socket; or nil, errno. */
static int socket_copy(lua_State *L)
{
  int fd = cp_pipe_copy(cp_check_int(L, 1));

  if (fd < 0) {
    return cp_push_failure(L, fd);
  }
  lua_pushinteger(L, fd);
  return 1;
}

/* isConnection(fd) -> whether it is a stream socket, a pipe or a terminal. */
static int socket_is_connection(lua_State *L)
{
  lua_pushboolean(L, cp_socket_is_connection(cp_check_int(L, 1)));
  return 1;
}

/* setNoDelay(fd, on) -> errno */
static int socket_no_delay(lua_State *L)
{
  return cp_push_errno(L, cp_socket_no_delay(cp_check_int(L, 1), lua_toboolean(L, 2)));
}

/* setKeepAlive(fd, on, seconds) -> errno. With 0 seconds the system decides. */
static int socket_keep_alive(lua_State *L)
{
  return cp_push_errno(
      L, cp_socket_keep_alive(cp_check_int(L, 1), lua_toboolean(L, 2), cp_check_int(L, 3)));
}

/* resetOnClose(fd) -> errno */
static int socket_reset_on_close(lua_State *L)
{
  return cp_push_errno(L, cp_socket_reset_on_close(cp_check_int(L, 1)));
}

/* Pushes address, family and port, or three times nil for what has none. */
static void push_name(lua_State *L, const cp_address *address, int r)
{
  char text[CP_ADDRESS_SIZE];
  int family = r < 0 ? 0 : cp_address_family(address);

  if (family == 0) {
    lua_settop(L, lua_gettop(L) + 3);
  } else {
    lua_pushlstring(L, text, cp_address_text(address, text));
    lua_pushstring(L, family == 4 ? "IPv4" : "IPv6");
    lua_pushinteger(L, cp_address_port(address));
  }
}

/* socketNames(fd) -> address, family and port of the other end, and the same of this one: six values, nil
 * for Unix sockets and whatever else has none. */
static int socket_names(lua_State *L)
{
  int fd = cp_check_int(L, 1);
  cp_address address;
  int r = cp_address_of_peer(&address, fd);

  luaL_checkstack(L, 6, NULL);
  push_name(L, &address, r);
  r = cp_address_of_socket(&address, fd);
  push_name(L, &address, r);
  return 6;
}

/* addressFamily(text) -> 4 or 6 if it is an address in digits, 0 otherwise. */
static int socket_address_family(lua_State *L)
{
  cp_address address;

  lua_pushinteger(L, cp_check_digits(L, 1, &address) == 0 ? cp_address_family(&address) : 0);
  return 1;
}

void cp_socket_functions(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"connect", socket_connect},
      {"socketError", socket_error},
      {"copySocket", socket_copy},
      {"isConnection", socket_is_connection},
      {"setNoDelay", socket_no_delay},
      {"setKeepAlive", socket_keep_alive},
      {"resetOnClose", socket_reset_on_close},
      {"socketNames", socket_names},
      {"addressFamily", socket_address_family},
      {NULL, NULL},
  };

  luaL_setfuncs(L, functions, 0);
}
