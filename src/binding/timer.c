#include "timer.h"

#include "anchor.h"
#include "object.h"
#include "state.h"

#include <stdlib.h>

static const char CLASS[] = "child_process.TimerHandle";

/* The part that libuv works on outlives the userdata until it is closed. */
typedef struct timer {
  uv_timer_t uv;
  cp_state *state;
  cp_anchor anchor;
} timer;

static timer *check_timer(lua_State *L)
{
  timer **box = cp_object_check(L, 1, CLASS);

  cp_state_check(L);
  luaL_argcheck(L, *box != NULL, 1, "was collected");
  return *box;
}

static int call_on_timeout(lua_State *L)
{
  const timer *t = lua_touserdata(L, 1);

  cp_anchor_push_owner(L, t->anchor);
  cp_state_dispatch(L, "ontimeout", 0);
  return 0;
}

static void on_timeout(uv_timer_t *uv)
{
  timer *t = (timer *)uv;
  cp_state *state = t->state;

  cp_state_call(state, call_on_timeout, t);
  /* The callback may have started it again. */
  if (!uv_is_active((uv_handle_t *)uv)) {
    cp_anchor_release(state->callbacks, &t->anchor);
  }
}

/* timer(owner) -> handle */
static int timer_new(lua_State *L)
{
  cp_state *state = cp_state_check(L);
  timer **box = cp_object_new(L, CLASS, sizeof(*box));
  timer *t = malloc(sizeof(*t));

  if (t == NULL) {
    return luaL_error(L, "child_process: not enough memory for a timer");
  }
  t->state = state;
  t->anchor = LUA_NOREF;
  uv_timer_init(state->loop.uv, &t->uv);
  t->uv.data = NULL;
  *box = t;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

static int timer_gc(lua_State *L)
{
  timer **box = lua_touserdata(L, 1);

  if (*box != NULL) {
    uv_close((uv_handle_t *)*box, cp_loop_free_handle);
    *box = NULL;
  }
  return 0;
}

/* handle:start(ms): calls owner:ontimeout() once, so many milliseconds from now. */
static int timer_start(lua_State *L)
{
  timer *t = check_timer(L);
  lua_Integer ms = luaL_checkinteger(L, 2);

  cp_anchor_set(L, &t->anchor, 1, true);
  /* The loop's idea of the time is as old as its turn. */
  uv_update_time(t->state->loop.uv);
  uv_timer_start(&t->uv, on_timeout, ms < 0 ? 0 : (uint64_t)ms, 0);
  return 0;
}

/* handle:stop() */
static int timer_stop(lua_State *L)
{
  timer *t = check_timer(L);

  uv_timer_stop(&t->uv);
  cp_anchor_release(L, &t->anchor);
  return 0;
}

/* handle:reference(on): whether it keeps the loop alive. */
static int timer_reference(lua_State *L)
{
  timer *t = check_timer(L);

  cp_loop_reference_handle((uv_handle_t *)&t->uv, lua_toboolean(L, 2));
  return 0;
}

void cp_timer_functions(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", timer_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"start", timer_start},
      {"stop", timer_stop},
      {"reference", timer_reference},
      {NULL, NULL},
  };

  cp_object_class(L, CLASS, metamethods, methods);
  lua_pushcfunction(L, timer_new);
  lua_setfield(L, -2, "timer");
}
