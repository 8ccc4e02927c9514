/* Calls Lua functions from the loop, and drains the ticks that they add. */
#include "binding/call.h"

#include "binding/kept_errors.h"
#include "binding/parts.h"
#include "binding/stack.h"
#include "compat/lua.h"

/* Keys in the registry. */
static const char DISPATCH_KEY = 0; /* Lua function: calls its first argument, then drains ticks */
static const char DRAIN_KEY = 0;    /* Lua function: drains ticks */

/* The stack index of the message handler in the coroutine for callbacks. */
enum { HANDLER = 1 };

static void on_wake(uv_idle_t *idle);

/* Returns the status of lua_pcall. Unless that is LUA_OK, the error was kept. */
static int call_protected(cpl_state *state, lua_CFunction function, void *argument)
{
  lua_State *L = state->callbacks;
  int status = LUA_OK;
  CPL_STACK_NOTE(L);

  CP_ASSERT(lua_iscfunction(L, HANDLER));
  lua_pushcfunction(L, function);
  lua_pushlightuserdata(L, argument);
  state->depth++;
  status = lua_pcall(L, 1, 0, HANDLER);
  state->depth--;
  if (status != LUA_OK) {
    cpl_kept_errors_add(L, state);
    /* An iteration of the loop drains the remaining ticks. */
    uv_idle_start(state->wake, on_wake);
  }
  CPL_STACK_ASSERT(L, 0);
  if (L != state->callbacks) {
    lua_settop(L, 0); /* see leave_coroutine */
  }
  return status;
}

bool cpl_call_protected(cpl_state *state, lua_CFunction function, void *argument)
{
  int status = call_protected(state, function, argument);

  if (status != LUA_OK) {
    cp_loop_interrupt(&state->runtime.loop);
  }
  cpl_state_claim(state->callbacks, state);
  return status != LUA_ERRMEM;
}

void cpl_call_method(lua_State *L, const char *method, int argument_count)
{
  int object = lua_gettop(L) - argument_count;

  lua_rawgetp(L, LUA_REGISTRYINDEX, &DISPATCH_KEY);
  lua_getfield(L, object, method);
  lua_rotate(L, object, 2);
  /* dispatch, method, object, arguments... */
  lua_call(L, argument_count + 2, 0);
}

/* Ticks. */

static int call_drain(lua_State *L)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &DRAIN_KEY);
  lua_call(L, 0, 0);
  return 0;
}

void cpl_call_drain(lua_State *L, cpl_state *state)
{
  if (state->has_ticks) {
    state->has_ticks = false;
    call_drain(L);
  }
}

bool cpl_call_drain_protected(cpl_state *state)
{
  return call_protected(state, call_drain, NULL) == LUA_OK;
}

/* Each run begins with the ticks. */
static void on_wake(uv_idle_t *idle)
{
  cpl_state *state = idle->data;

  if (!cp_loop_is_ending(&state->runtime.loop)) {
    uv_idle_stop(idle);
    cpl_call_protected(state, call_drain, NULL);
  }
}

/* wake(): call it when a tick was added. Ticks are drained after the running callback; outside of
 * callbacks the loop runs an iteration for them, even without an event. */
static int wake(lua_State *L)
{
  cpl_state *state = cpl_state_check(L);

  state->has_ticks = true;
  if (state->depth == 0) {
    uv_idle_start(state->wake, on_wake);
    cp_loop_note_work(&state->runtime.loop);
  }
  return 0;
}

/* setDispatcher(dispatch, drain, copied): sets the two functions through which the loop calls Lua,
 * and one that is called once in each forked process. */
static int set_dispatcher(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  luaL_checktype(L, 3, LUA_TFUNCTION);
  lua_settop(L, 3);
  cpl_state_set_copied(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &DRAIN_KEY);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &DISPATCH_KEY);
  return 0;
}

static void set_handler(lua_State *L, lua_State *callbacks)
{
  cpl_kept_errors_push_handler(L);
  lua_settop(callbacks, HANDLER - 1);
  lua_xmove(L, callbacks, 1);
}

/* leaveCoroutine(): makes the next callbacks run in another coroutine. A library that was loaded in
 * a callback may have kept the coroutine of callbacks for calls of its own, as luv does, and wants
 * its stack for itself. It stays alive as long as the state. */
static int leave_coroutine(lua_State *L)
{
  cpl_state *state = cpl_state_check(L);
  lua_State *other = lua_newthread(L);

  lua_rawsetp(L, LUA_REGISTRYINDEX, other);
  cp_lua_disown(other);
  set_handler(L, other);
  if (state->depth == 0) {
    lua_settop(state->callbacks, 0); /* otherwise the running call does this at its end */
  }
  state->callbacks = other;
  return 0;
}

void cpl_add_call(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"setDispatcher", set_dispatcher},
      {"wake", wake},
      {"leaveCoroutine", leave_coroutine},
      {NULL, NULL},
  };

  set_handler(L, cpl_state_check(L)->callbacks);
  luaL_setfuncs(L, functions, 0);
  cp_lua_keep_function(L, call_drain);
}
