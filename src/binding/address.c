/* Reads socket addresses from the Lua stack, and pushes them. */
#include "binding/address.h"

#include "binding/numbers.h"
#include "binding/stack.h"
#include "compat/lua.h"

#include <errno.h>
#include <string.h>

const char *cpl_family_name(int family)
{
  return family == 4 ? "IPv4" : "IPv6";
}

void cpl_push_address(lua_State *L, const cp_address *address)
{
  char text[CP_ADDRESS_SIZE];
  size_t length = cp_address_text(address, text);
  int family = cp_address_family(address);
  CPL_STACK_NOTE(L);

  if (family == 0) {
    lua_pushlstring(L, text, length);
  } else {
    lua_createtable(L, 0, 3);
    lua_pushlstring(L, text, length);
    lua_setfield(L, -2, "address");
    lua_pushstring(L, cpl_family_name(family));
    lua_setfield(L, -2, "family");
    lua_pushinteger(L, cp_address_port(address));
    lua_setfield(L, -2, "port");
  }
  CPL_STACK_ASSERT(L, 1);
}

int cpl_push_address_result(lua_State *L, int r, const cp_address *address)
{
  if (r < 0) {
    return cpl_push_failure(L, r);
  }
  cpl_push_address(L, address);
  return 1;
}

static int parse(cp_address *address, const char *text, size_t length, int port)
{
  return strlen(text) == length ? cp_address_parse(address, text, port) : -EINVAL;
}

int cpl_check_digits(lua_State *L, int index, cp_address *address)
{
  size_t length = 0;
  const char *text = luaL_checklstring(L, index, &length);

  return parse(address, text, length, 0);
}

int cpl_check_address(lua_State *L, int index, cp_address *address)
{
  size_t length = 0;
  const char *text = luaL_checklstring(L, index, &length);

  if (lua_isnoneornil(L, index + 1)) {
    return cp_address_of_path(address, text, length);
  }
  return parse(address, text, length, cpl_check_int(L, index + 1));
}
