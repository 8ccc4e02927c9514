/* Looks up the addresses of a host, and calls the owner with them. */
#include "core/net/lookup.h"

#include "binding/address.h"
#include "binding/emit.h"
#include "binding/numbers.h"
#include "binding/parts.h"

#include <string.h>

static const char CLASS[] = "child_process.LookupRequest";

static bool is_active(const cpl_handle *handle)
{
  (void)handle; /* the answer closes it */
  return true;
}

static void close_handle(cpl_handle *handle)
{
  handle->core = cp_lookup_cancel(handle->core);
}

static const cpl_handle_kind kind = {CLASS, is_active, close_handle};

/* Pushes a sequence of tables as cpl_push_address makes them. */
static void push_addresses(lua_State *L, const void *argument)
{
  const struct addrinfo *addresses = argument;
  lua_Integer count = 0;

  lua_newtable(L);
  for (; addresses != NULL; addresses = addresses->ai_next) {
    cp_address address;

    if (addresses->ai_family == AF_INET || addresses->ai_family == AF_INET6) {
      memcpy(&address.as, addresses->ai_addr, addresses->ai_addrlen);
      address.length = addresses->ai_addrlen;
      cpl_push_address(L, &address);
      lua_rawseti(L, -2, ++count);
    }
  }
}

static void on_answer(void *owner, int error, const struct addrinfo *addresses)
{
  cpl_handle *handle = owner;
  char name[64] = "";
  cpl_value values[3] = {cpl_nil(), cpl_pushed(push_addresses, addresses)};
  int count = 2;

  if (error != 0) {
    uv_err_name_r(error, name, sizeof(name));
    values[0] = cpl_integer(error);
    values[1] = cpl_nil();
    values[2] = cpl_text(name);
    count = 3;
  }
  handle->core = NULL;
  cpl_emit(handle, "onlookup", values, count);
}

/* lookup(host, family, owner) -> request. `family` is 4, 6, or 0 for both. Calls
 * owner:onlookup(nil, addresses) with tables of address, family and port 0, in the order in which
 * to try them; or owner:onlookup(errno, nil, name), with libuv's name of the error. */
static int lookup(lua_State *L)
{
  cpl_state *state = cpl_state_check(L);
  size_t length = 0;
  const char *host = luaL_checklstring(L, 1, &length);
  int family = cpl_check_int(L, 2);
  cpl_handle *handle = NULL;

  luaL_argcheck(L, strlen(host) == length, 1, "contains a zero");
  luaL_checkany(L, 3);
  handle = cpl_handle_new(L, state, &kind, sizeof(*handle));
  lua_pushvalue(L, 3);
  lua_setiuservalue(L, -2, 1);
  cpl_handle_anchor(L, handle, lua_gettop(L));
  handle->core = cp_lookup_start(&state->runtime.lookups, host,
                                 family == 4 ? AF_INET : (family == 6 ? AF_INET6 : AF_UNSPEC),
                                 on_answer, handle);
  if (handle->core == NULL) {
    cpl_handle_release_if_idle(handle);
    return luaL_error(L, "child_process: not enough memory to look up a host");
  }
  return 1;
}

/* request:cancel(): the owner is not called. May be called again, and after the answer. */
static int request_cancel(lua_State *L)
{
  cpl_handle *handle = cpl_object_check(L, 1, CLASS);

  if (handle->core != NULL) {
    close_handle(handle);
    cpl_handle_release_if_idle(handle);
  }
  return 0;
}

void cpl_add_lookup(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", cpl_handle_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"cancel", request_cancel},
      {NULL, NULL},
  };

  cpl_object_class(L, CLASS, metamethods, methods);
  lua_pushcfunction(L, lookup);
  lua_setfield(L, -2, "lookup");
}
