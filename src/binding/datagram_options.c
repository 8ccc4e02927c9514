/* Options and multicast groups of UDP sockets. */
#include "core/net/datagram_options.h"

#include "binding/address.h"
#include "binding/datagram.h"
#include "binding/numbers.h"
#include "binding/parts.h"

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
  const cp_datagram *datagram = cpl_datagram_check(L);
  cp_datagram_option option = check_option(L, 2);

  return cpl_push_errno(L, cp_datagram_set(datagram, option, cpl_check_int(L, 3)));
}

/* handle:get(option) -> value; or nil, errno */
static int datagram_get(lua_State *L)
{
  int value = 0;
  int r = cp_datagram_get(cpl_datagram_check(L), check_option(L, 2), &value);

  if (r < 0) {
    return cpl_push_failure(L, r);
  }
  lua_pushinteger(L, value);
  return 1;
}

/* handle:membership(join, group[, interface]) -> errno: joins or leaves a multicast group. */
static int datagram_membership(lua_State *L)
{
  const cp_datagram *datagram = cpl_datagram_check(L);
  bool has_interface = !lua_isnoneornil(L, 4);
  cp_address group;
  cp_address interface;
  int r = cpl_check_digits(L, 3, &group);

  if (r == 0 && has_interface) {
    r = cpl_check_digits(L, 4, &interface);
  }
  if (r == 0) {
    r = cp_datagram_membership(datagram, lua_toboolean(L, 2), &group,
                               has_interface ? &interface : NULL);
  }
  return cpl_push_errno(L, r);
}

/* handle:multicastInterface(address) -> errno: sets the interface that sends multicasts. */
static int datagram_multicast_interface(lua_State *L)
{
  const cp_datagram *datagram = cpl_datagram_check(L);
  cp_address interface;
  int r = cpl_check_digits(L, 2, &interface);

  return cpl_push_errno(L, r == 0 ? cp_datagram_multicast_interface(datagram, &interface) : r);
}

void cpl_add_datagram_options(lua_State *L)
{
  static const luaL_Reg methods[] = {
      {"set", datagram_set},
      {"get", datagram_get},
      {"membership", datagram_membership},
      {"multicastInterface", datagram_multicast_interface},
      {NULL, NULL},
  };

  cpl_object_add_methods(L, cpl_datagram_class, methods);
}
