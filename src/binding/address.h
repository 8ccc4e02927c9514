/* Socket addresses between C and Lua. */
#ifndef CPL_ADDRESS_H
#define CPL_ADDRESS_H

#include "compat/lua.h"
#include "core/net/address.h"

/* Returns the name of a family of IP addresses: "IPv4" for 4, "IPv6" for 6. */
const char *cpl_family_name(int family);

/* Pushes a table with `address`, `family` ("IPv4", "IPv6") and `port`; for a Unix socket the path,
 * or the empty string if it has no name. */
void cpl_push_address(lua_State *L, const cp_address *address);

/* Pushes the same, or nil and `r` if that is a negative errno. Returns the number of results. */
int cpl_push_address_result(lua_State *L, int r, const cp_address *address);

/* Fills the address from the numeric address at `index`; its port is 0. Returns 0 or -EINVAL;
 * raises if the value is not a string. */
int cpl_check_digits(lua_State *L, int index, cp_address *address);

/* Fills the address from `index` (a numeric address) and `index + 1` (a port), or, without a port,
 * from the path at `index`. Returns 0 or a negative errno; raises for values of other types. */
int cpl_check_address(lua_State *L, int index, cp_address *address);

#endif
