#include "lookup.h"

#include "../core/lookup.h"
#include "address.h"
#include "anchor.h"
#include "object.h"
#include "state.h"

#include <string.h>

static const char CLASS[] = "child_process.LookupRequest";

typedef struct lookup_request {
  cp_state *state;
  cp_lookup *lookup; /* NULL after the answer */
  cp_anchor anchor;
} lookup_request;

typedef struct lookup_event {
  const lookup_request *request;
  int error;
  const struct addrinfo *addresses;
} lookup_event;

/* Pushes a sequence of tables as cp_push_address makes them. */
static void push_addresses(lua_State *L, const struct addrinfo *addresses)
{
  lua_Integer count = 0;

  lua_newtable(L);
  for (; addresses != NULL; addresses = addresses->ai_next) {
    cp_address address;

    if (addresses->ai_family == AF_INET || addresses->ai_family == AF_INET6) {
      memcpy(&address.as, addresses->ai_addr, addresses->ai_addrlen);
      address.length = addresses->ai_addrlen;
      cp_push_address(L, &address);
      lua_rawseti(L, -2, ++count);
    }
  }
}

static int call_on_lookup(lua_State *L)
{
  const lookup_event *event = lua_touserdata(L, 1);
  char name[64];

  cp_anchor_push_owner(L, event->request->anchor);
  if (event->error == 0) {
    lua_pushnil(L);
    push_addresses(L, event->addresses);
    cp_state_dispatch(L, "onlookup", 2);
  } else {
    lua_pushinteger(L, event->error);
    lua_pushnil(L);
    lua_pushstring(L, uv_err_name_r(event->error, name, sizeof(name)));
    cp_state_dispatch(L, "onlookup", 3);
  }
  return 0;
}

static void on_answer(void *owner, int error, const struct addrinfo *addresses)
{
  lookup_request *request = owner;
  lookup_event event = {request, error, addresses};

  request->lookup = NULL;
  cp_state_call(request->state, call_on_lookup, &event);
  cp_anchor_release(request->state->callbacks, &request->anchor);
}

/* lookup(host, family, owner) -> request. `family` is 4, 6, or 0 for both. Calls
 * owner:onlookup(nil, addresses) with tables of address, family and port 0, in the order in which they are to
 * be tried; or owner:onlookup(errno, nil, name), where the name is libuv's. */
static int lookup(lua_State *L)
{
  cp_state *state = cp_state_check(L);
  size_t length = 0;
  const char *host = luaL_checklstring(L, 1, &length);
  int family = cp_check_int(L, 2);
  lookup_request *request = NULL;

  luaL_argcheck(L, strlen(host) == length, 1, "contains a zero");
  luaL_checkany(L, 3);
  request = cp_object_new(L, CLASS, sizeof(*request));
  request->state = state;
  request->anchor = LUA_NOREF;
  lua_pushvalue(L, 3);
  lua_setiuservalue(L, -2, 1);
  cp_anchor_set(L, &request->anchor, lua_gettop(L), true);
  request->lookup = cp_lookup_start(&state->loop, host,
                                    family == 4 ? AF_INET : (family == 6 ? AF_INET6 : AF_UNSPEC),
                                    on_answer, request);
  if (request->lookup == NULL) {
    cp_anchor_release(L, &request->anchor);
    return luaL_error(L, "child_process: not enough memory to look up a host");
  }
  return 1;
}

/* request:cancel(): the owner is not called any more. May be called again, and after the answer. */
static int request_cancel(lua_State *L)
{
  lookup_request *request = cp_object_check(L, 1, CLASS);

  if (request->lookup != NULL) {
    request->lookup = cp_lookup_cancel(request->lookup);
    cp_anchor_release(L, &request->anchor);
  }
  return 0;
}

static int request_gc(lua_State *L)
{
  lookup_request *request = lua_touserdata(L, 1);

  request->lookup = cp_lookup_cancel(request->lookup);
  return 0;
}

void cp_lookup_functions(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", request_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"cancel", request_cancel},
      {NULL, NULL},
  };

  cp_object_class(L, CLASS, metamethods, methods);
  lua_pushcfunction(L, lookup);
  lua_setfield(L, -2, "lookup");
}
