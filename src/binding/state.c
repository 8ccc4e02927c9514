#include "state.h"

#include "../core/channel.h"
#include "string_buffer.h"

#include <lauxlib.h>
#include <stdlib.h>

/* Keys in the registry. */
static const char STATE_KEY = 0;     /* the cp_state */
static const char DISPATCH_KEY = 0;  /* Lua function: calls its first argument, then drains ticks */
static const char DRAIN_KEY = 0;     /* Lua function: drains ticks */
static const char ERRORS_KEY = 0;    /* sequence of {error, traceback} that no run has raised yet */
static const char TRACEBACK_KEY = 0; /* where the last error that run raised came from */

#define HOST_LOOP_KEY "child_process.uv_loop"

static cp_state *get_state(lua_State *L)
{
  cp_state *state = NULL;

  lua_rawgetp(L, LUA_REGISTRYINDEX, &STATE_KEY);
  state = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return state;
}

cp_state *cp_state_check(lua_State *L)
{
  cp_state *state = get_state(L);

  if (state == NULL || state->closed) {
    luaL_error(L, "child_process: the Lua state is being closed");
  }
  return state;
}

/* Calling into Lua. */

static int handle_error(lua_State *L)
{
  /* error */
  lua_createtable(L, 2, 0);
  luaL_traceback(L, L, NULL, 1);
  /* error, entry, traceback */
  if (luaL_getmetafield(L, 1, "__name") == LUA_TSTRING &&
      lua_rawequal(L, -1, lua_upvalueindex(1)) && lua_istable(L, 1)) {
    lua_pushvalue(L, -2);
    lua_setfield(L, 1, "traceback");
  }
  lua_settop(L, 3);
  lua_rawseti(L, 2, 2);
  lua_pushvalue(L, 1);
  lua_rawseti(L, 2, 1);
  return 1;
}

static int keep_error(lua_State *L)
{
  /* entry */
  lua_rawgetp(L, LUA_REGISTRYINDEX, &ERRORS_KEY);
  lua_insert(L, 1);
  lua_rawseti(L, 1, (lua_Integer)lua_rawlen(L, 1) + 1);
  return 0;
}

static void on_wake(uv_idle_t *idle);

/* Returns false if an error was kept. */
static bool call_protected(cp_state *state, lua_CFunction function, void *argument)
{
  lua_State *L = state->callbacks;
  int top = lua_gettop(L);
  int status = LUA_OK;

  lua_pushcfunction(L, function);
  lua_pushlightuserdata(L, argument);
  state->depth++;
  status = lua_pcall(L, 1, 0, 1);
  state->depth--;
  if (status != LUA_OK) {
    bool is_entry = lua_istable(L, -1);

    lua_pushcfunction(L, keep_error);
    lua_insert(L, -2);
    if (!is_entry || lua_pcall(L, 1, 0, 0) != LUA_OK) {
      state->lost_an_error = true;
    }
    /* The ticks that are left wait for a turn of the loop. */
    uv_idle_start(state->wake, on_wake);
  }
  lua_settop(L, top);
  return status == LUA_OK;
}

void cp_state_call(cp_state *state, lua_CFunction function, void *argument)
{
  if (!call_protected(state, function, argument)) {
    cp_loop_interrupt(&state->loop);
  }
}

static int call_drain(lua_State *L)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &DRAIN_KEY);
  lua_call(L, 0, 0);
  return 0;
}

void cp_state_drain(lua_State *L, cp_state *state)
{
  if (state->has_ticks) {
    state->has_ticks = false;
    call_drain(L);
  }
}

void cp_state_dispatch(lua_State *L, const char *method, int argument_count)
{
  int owner = lua_gettop(L) - argument_count;

  lua_rawgetp(L, LUA_REGISTRYINDEX, &DISPATCH_KEY);
  lua_getfield(L, owner, method);
  lua_rotate(L, owner, 2);
  /* dispatch, method, owner, arguments... */
  lua_call(L, argument_count + 2, 0);
}

static void on_wake(uv_idle_t *idle)
{
  uv_idle_stop(idle);
  cp_state_call(idle->data, call_drain, NULL);
}

/* Life. */

static int state_gc(lua_State *L)
{
  cp_state *state = lua_touserdata(L, 1);

  if (!state->closed) {
    state->closed = true;
    if (state->wake != NULL) {
      uv_close((uv_handle_t *)state->wake, cp_loop_free_handle);
    }
    cp_loop_destroy(&state->loop);
    cp_buffer_free(&state->scratch);
  }
  return 0;
}

static uv_loop_t *host_loop(lua_State *L)
{
  uv_loop_t *loop = NULL;

  lua_getfield(L, LUA_REGISTRYINDEX, HOST_LOOP_KEY);
  loop = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return loop;
}

void cp_state_open(lua_State *L)
{
  cp_state *state = get_state(L);
  int r = 0;

  if (state != NULL) {
    /* The module was taken out of package.loaded and is loaded again. */
    cp_state_check(L);
    return;
  }
  state = lua_newuserdatauv(L, sizeof(*state), 1);
  /* The collector may come before all is set up. */
  *state = (cp_state){.closed = true};
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, state_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);

  state->callbacks = lua_newthread(L);
  lua_setiuservalue(L, -2, 1);
  lua_pushliteral(L, "Error");
  lua_pushcclosure(L, handle_error, 1);
  lua_xmove(L, state->callbacks, 1);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &ERRORS_KEY);

  r = cp_loop_init(&state->loop, host_loop(L));
  if (r < 0) {
    luaL_error(L, "child_process: cannot make an event loop: %s", uv_strerror(r));
  }
  state->closed = false;
  state->string_header = cp_string_buffer_measure(L);
  state->wake = malloc(sizeof(*state->wake));
  if (state->wake == NULL) {
    (void)luaL_error(L, "child_process: not enough memory");
    return;
  }
  uv_idle_init(state->loop.uv, state->wake);
  state->wake->data = state;
  lua_rawsetp(L, LUA_REGISTRYINDEX, &STATE_KEY);
}

/* What Lua sees. */

/* dispatcher(dispatch, drain): the two functions that calls into Lua go through. */
static int set_dispatcher(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &DRAIN_KEY);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &DISPATCH_KEY);
  return 0;
}

/* wake(): there are ticks. They are drained after the callback that is running; outside of one, the
 * loop makes a turn even if nothing happens, and they are drained in it. */
static int wake(lua_State *L)
{
  cp_state *state = cp_state_check(L);

  state->has_ticks = true;
  if (state->depth == 0) {
    uv_idle_start(state->wake, on_wake);
  }
  return 0;
}

static void raise_kept_error(lua_State *L, cp_state *state)
{
  lua_Integer count = 0;

  lua_rawgetp(L, LUA_REGISTRYINDEX, &ERRORS_KEY);
  count = (lua_Integer)lua_rawlen(L, -1);
  if (count > 0) {
    /* errors */
    lua_rawgeti(L, -1, 1);
    for (lua_Integer i = 1; i <= count; i++) {
      lua_rawgeti(L, -2, i + 1);
      lua_rawseti(L, -3, i);
    }
    /* errors, entry */
    lua_rawgeti(L, -1, 2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &TRACEBACK_KEY);
    lua_rawgeti(L, -1, 1);
    state->running = false;
    lua_error(L);
  }
  lua_pop(L, 1);
  if (state->lost_an_error) {
    state->lost_an_error = false;
    state->running = false;
    luaL_error(L, "child_process: not enough memory");
  }
}

/* run([mode]) -> whether something is still alive. Raises the first error that came up. */
static int run(lua_State *L)
{
  static const char *const names[] = {"default", "once", "nowait", NULL};
  static const uv_run_mode modes[] = {UV_RUN_DEFAULT, UV_RUN_ONCE, UV_RUN_NOWAIT};
  cp_state *state = cp_state_check(L);
  uv_run_mode mode = modes[luaL_checkoption(L, 1, "default", names)];
  int alive = 0;

  if (state->running || state->depth > 0) {
    return luaL_error(L, "child_process: run was called from a callback of the running loop");
  }
  state->running = true;
  raise_kept_error(L, state);
  uv_idle_stop(state->wake);
  call_protected(state, call_drain, NULL);
  raise_kept_error(L, state);
  state->loop.changed = false;
  state->loop.interrupted = false;
  alive = uv_run(state->loop.uv, mode);
  state->running = false;
  cp_channel_flush_all(&state->loop);
  raise_kept_error(L, state);
  lua_pushboolean(L, alive);
  return 1;
}

/* stop(): makes run return after the present callback. */
static int stop(lua_State *L)
{
  cp_state *state = cp_state_check(L);

  if (state->running) {
    cp_loop_interrupt(&state->loop);
  }
  return 0;
}

/* isRunning() */
static int is_running(lua_State *L)
{
  const cp_state *state = cp_state_check(L);

  lua_pushboolean(L, state->running || state->depth > 0);
  return 1;
}

/* backend() -> the descriptor that gets readable when the loop has something to do. */
static int backend(lua_State *L)
{
  lua_pushinteger(L, uv_backend_fd(cp_state_check(L)->loop.uv));
  return 1;
}

/* timeout() -> milliseconds after which the loop wants a turn, nil for no limit. */
static int timeout(lua_State *L)
{
  cp_state *state = cp_state_check(L);
  int ms = 0;

  if (!state->loop.changed) {
    uv_update_time(state->loop.uv);
    ms = uv_backend_timeout(state->loop.uv);
  }
  if (ms < 0) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, ms);
  }
  return 1;
}

/* traceback() -> where the error came from that run raised last, or nil. */
static int traceback(lua_State *L)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &TRACEBACK_KEY);
  return 1;
}

void cp_state_functions(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"setDispatcher", set_dispatcher},
      {"wake", wake},
      {"run", run},
      {"stop", stop},
      {"isRunning", is_running},
      {"backend", backend},
      {"timeout", timeout},
      {"traceback", traceback},
      {NULL, NULL},
  };

  luaL_setfuncs(L, functions, 0);
}
