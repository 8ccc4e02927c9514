/* Pushes the owner of a handle and the arguments of an event, and calls the owner's method. */
#include "binding/emit.h"

#include "binding/call.h"
#include "binding/parts.h"
#include "binding/stack.h"

typedef struct event {
  const cpl_handle *handle;
  const char *method;
  const cpl_value *values;
  int count;
} event;

static void push_value(lua_State *L, const cpl_value *value)
{
  CPL_STACK_NOTE(L);

  switch (value->kind) {
    case CPL_NIL: lua_pushnil(L); break;
    case CPL_INTEGER: lua_pushinteger(L, value->as.integer); break;
    case CPL_BYTES: lua_pushlstring(L, value->as.bytes.data, value->as.bytes.length); break;
    case CPL_PUSHED: value->as.pushed.push(L, value->as.pushed.argument); break;
  }
  CPL_STACK_ASSERT(L, 1);
}

static int call_event(lua_State *L)
{
  const event *e = lua_touserdata(L, 1);

  cpl_handle_push(L, e->handle);
  if (!e->handle->is_own_owner) {
    lua_getiuservalue(L, -1, 1);
  }
  for (int i = 0; i < e->count; i++) {
    push_value(L, &e->values[i]);
  }
  cpl_call_method(L, e->method, e->count);
  return 0;
}

bool cpl_emit(cpl_handle *handle, const char *method, const cpl_value *values, int count)
{
  event e = {handle, method, values, count};
  bool ok = false;

  handle->calls++;
  ok = cpl_call_protected(handle->state, call_event, &e);
  handle->calls--;
  cpl_handle_release_if_idle(handle);
  return ok;
}

void cpl_add_emit(lua_State *L)
{
  cp_lua_keep_function(L, call_event);
}
