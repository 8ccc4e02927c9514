/* Socket addresses as Lua has them. */
#ifndef CP_BINDING_ADDRESS_H
#define CP_BINDING_ADDRESS_H

#include "../core/address.h"

#include <lua.h>

/* Pushes a table with `address`, `family` ("IPv4", "IPv6") and `port`; for a Unix socket the path, or the
 * empty string if it has no name. */
void cp_push_address(lua_State *L, const cp_address *address);

/* Pushes the same if `r` is not negative, else nil and `r`, a negative errno. Returns the number of results. */
int cp_push_address_result(lua_State *L, int r, const cp_address *address);

/* Fills the address from the text in digits at `index`; its port is 0. Returns 0 or -EINVAL; raises if it is
 * no text. */
int cp_check_digits(lua_State *L, int index, cp_address *address);

/* Fills the address from `index` (text in digits) and `index + 1` (port), or, if there is no port, from the
 * path at `index`. Returns 0 or a negative errno; raises for values of other types. */
int cp_check_address(lua_State *L, int index, cp_address *address);

#endif
