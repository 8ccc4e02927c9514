/* Makes, finds and closes the cpl_state of a Lua state, and renews it in a forked process. */
#include "binding/state.h"

#include "binding/string_buffer.h"
#include "compat/lua.h"

#include <stdlib.h>

/* Keys in the registry. */
static const char STATE_KEY = 0;  /* the cpl_state */
static const char COPIED_KEY = 0; /* see cpl_state_set_copied */

cpl_state *cpl_state_get(lua_State *L)
{
  cpl_state *state = NULL;

  lua_rawgetp(L, LUA_REGISTRYINDEX, &STATE_KEY);
  state = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return state;
}

cpl_state *cpl_state_check(lua_State *L)
{
  cpl_state *state = cpl_state_get(L);

  if (state == NULL || state->closed) {
    luaL_error(L, "child_process: the module was closed, or its Lua state is being closed");
  } else {
    cpl_state_claim(L, state);
  }
  return state;
}

/* Forking. */

void cpl_state_set_copied(lua_State *L)
{
  lua_rawsetp(L, LUA_REGISTRYINDEX, &COPIED_KEY);
}

static int call_copied(lua_State *L)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &COPIED_KEY);
  if (lua_isfunction(L, -1)) {
    lua_call(L, 0, 0);
  }
  return 0;
}

void cpl_state_renew(lua_State *L, cpl_state *state)
{
  state->fork_depth = cp_fork_depth;
  cp_loop_claim(&state->runtime.loop);
  if (lua_checkstack(L, LUA_MINSTACK)) {
    int top = lua_gettop(L);

    lua_pushcfunction(L, call_copied);
    (void)lua_pcall(L, 0, 0, 0);
    lua_settop(L, top);
  }
}

/* Lifetime. */

static void close_members(cpl_state *state)
{
  cpl_member *member = NULL;

  while ((member = CP_LIST_FIRST(&state->members)) != NULL) {
    CP_LIST_REMOVE(member, entry);
    member->close(member);
  }
}

void cpl_state_close(cpl_state *state)
{
  if (state->closed) {
    return;
  }
  cp_loop_claim(&state->runtime.loop);
  state->closed = true;
  close_members(state);
  if (state->wake != NULL) {
    uv_close((uv_handle_t *)state->wake, cp_loop_free_handle);
  }
  cp_runtime_destroy(&state->runtime);
  cp_buffer_free(&state->scratch);
}

static int state_gc(lua_State *L)
{
  cpl_state_close(lua_touserdata(L, 1));
  return 0;
}

static uv_loop_t *host_loop(lua_State *L)
{
  uv_loop_t *loop = NULL;

  lua_getfield(L, LUA_REGISTRYINDEX, CPL_HOST_LOOP_KEY);
  loop = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return loop;
}

/* Pushes the userdata. Its finalizer may run before the state is opened. */
static cpl_state *push_closed_state(lua_State *L)
{
  cpl_state *state = lua_newuserdatauv(L, sizeof(*state), 1);

  *state = (cpl_state){.closed = true};
  CP_LIST_INIT(&state->members);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, state_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  state->callbacks = lua_newthread(L);
  cp_lua_disown(state->callbacks);
  lua_setiuservalue(L, -2, 1);
  return state;
}

void cpl_state_open(lua_State *L)
{
  cpl_state *state = cpl_state_get(L);
  int r = 0;

  (void)cp_lua_main(L); /* for later calls in other coroutines */
  cp_lua_keep_function(L, call_copied);
  if (state != NULL) {
    /* The module was taken out of package.loaded and is loaded again. */
    cpl_state_check(L);
    return;
  }
  state = push_closed_state(L);
  r = cp_runtime_init(&state->runtime, host_loop(L));
  if (r < 0) {
    luaL_error(L, "child_process: cannot make an event loop: %s", uv_strerror(r));
  }
  state->closed = false;
  state->fork_depth = cp_fork_depth;
  state->string_header = cpl_string_buffer_measure(L);
  state->wake = malloc(sizeof(*state->wake));
  if (state->wake == NULL) {
    (void)luaL_error(L, "child_process: not enough memory");
    return;
  }
  uv_idle_init(state->runtime.loop.uv, state->wake);
  state->wake->data = state;
  lua_rawsetp(L, LUA_REGISTRYINDEX, &STATE_KEY);
}
