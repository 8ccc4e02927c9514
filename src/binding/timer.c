/* Calls the owner of a timer once, after a time. */
#include "binding/emit.h"
#include "binding/parts.h"
#include "core/loop/deferred.h"

#include <stdlib.h>

static const char CLASS[] = "child_process.TimerHandle";

/* The time after which libuv calls back again for a timer that was deferred. It would do so at once
 * after 0. */
enum { SOON_MS = 1 };

typedef struct timer_handle {
  cpl_handle base; /* on a uv_timer_t, which is allocated apart, since the handle may be collected
                    * before libuv has closed it */
  cp_deferred deferred;
} timer_handle;

static bool is_active(const cpl_handle *handle)
{
  return uv_is_active(handle->core);
}

static void close_handle(cpl_handle *handle)
{
  if (handle->core != NULL) {
    cp_deferred_remove(cpl_handle_loop(handle), &((timer_handle *)handle)->deferred);
    uv_close(handle->core, cp_loop_free_handle);
    handle->core = NULL;
  }
}

static const cpl_handle_kind kind = {CLASS, is_active, close_handle};

static void go_off(void *owner)
{
  timer_handle *handle = owner;

  uv_timer_stop(handle->base.core);
  cpl_emit(&handle->base, "ontimeout", NULL, 0);
}

static void on_timeout(uv_timer_t *timer)
{
  timer_handle *handle = timer->data;

  if (cp_defer_if_ending(cpl_handle_loop(&handle->base), &handle->deferred)) {
    uv_timer_start(timer, on_timeout, SOON_MS, 0);
  } else {
    go_off(handle);
  }
}

/* timer(owner) -> handle */
static int timer_new(lua_State *L)
{
  cpl_state *state = cpl_state_check(L);
  timer_handle *handle = cpl_handle_new(L, state, &kind, sizeof(*handle));
  uv_timer_t *timer = malloc(sizeof(*timer));

  if (timer == NULL) {
    return luaL_error(L, "child_process: not enough memory for a timer");
  }
  uv_timer_init(state->runtime.loop.uv, timer);
  timer->data = handle;
  handle->base.core = timer;
  handle->deferred = (cp_deferred){.callback = go_off, .owner = handle};
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* handle:start(ms): calls owner:ontimeout() once, `ms` milliseconds from now. */
static int timer_start(lua_State *L)
{
  timer_handle *handle = cpl_handle_check_claimed(L, CLASS);
  cp_loop *loop = cpl_handle_loop(&handle->base);
  lua_Integer ms = luaL_checkinteger(L, 2);

  cpl_handle_anchor(L, &handle->base, 1);
  cp_deferred_remove(loop, &handle->deferred);
  /* The loop's time is that of the start of its iteration. */
  uv_update_time(loop->uv);
  uv_timer_start(handle->base.core, on_timeout, ms < 0 ? 0 : (uint64_t)ms, 0);
  cp_loop_note_work(loop);
  return 0;
}

/* handle:stop() */
static int timer_stop(lua_State *L)
{
  timer_handle *handle = cpl_handle_check_claimed(L, CLASS);

  cp_deferred_remove(cpl_handle_loop(&handle->base), &handle->deferred);
  uv_timer_stop(handle->base.core);
  cpl_handle_release_if_idle(&handle->base);
  return 0;
}

/* handle:reference(on): sets whether it keeps the loop alive. */
static int timer_reference(lua_State *L)
{
  const cpl_handle *handle = cpl_handle_check_claimed(L, CLASS);

  cp_loop_reference_handle(handle->core, lua_toboolean(L, 2));
  return 0;
}

void cpl_add_timer(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", cpl_handle_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"start", timer_start},
      {"stop", timer_stop},
      {"reference", timer_reference},
      {NULL, NULL},
  };

  cpl_object_class(L, CLASS, metamethods, methods);
  lua_pushcfunction(L, timer_new);
  lua_setfield(L, -2, "timer");
}
