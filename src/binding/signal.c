/* Catches signals of the process, and calls the owner for each. */
#include "binding/emit.h"
#include "binding/numbers.h"
#include "binding/parts.h"
#include "core/loop/deferred.h"
#include "core/process/terminal_signals.h"

#include <errno.h>
#include <stdlib.h>

static const char CLASS[] = "child_process.SignalHandle";

/* Both parts are allocated apart, since the handle may be collected before libuv has closed them.
 */
typedef struct signal_watch {
  cpl_handle base; /* on a uv_signal_t */
  /* Calls Lua, because a uv_signal_t cannot be closed while it calls back, and a listener may end
   * the program. */
  uv_idle_t *deliver;
  unsigned pending; /* signals that were caught and not delivered yet */
  cp_deferred deferred;
} signal_watch;

static bool is_active(const cpl_handle *handle)
{
  return uv_is_active(handle->core);
}

static void close_handle(cpl_handle *handle)
{
  signal_watch *watch = (signal_watch *)handle;

  if (handle->core != NULL) {
    cp_deferred_remove(cpl_handle_loop(&watch->base), &watch->deferred);
    uv_close(handle->core, cp_loop_free_handle);
    uv_close((uv_handle_t *)watch->deliver, cp_loop_free_handle);
    handle->core = NULL;
    cp_terminal_signals_refresh();
  }
}

static const cpl_handle_kind kind = {CLASS, is_active, close_handle};

static void deliver(void *owner)
{
  signal_watch *watch = owner;
  const uv_signal_t *uv = watch->base.core;
  cpl_value signum = cpl_integer(uv->signum);

  watch->pending--;
  if (watch->pending == 0) {
    uv_idle_stop(watch->deliver);
  }
  cpl_emit(&watch->base, "onsignal", &signum, 1);
}

static void on_deliver(uv_idle_t *idle)
{
  signal_watch *watch = idle->data;

  if (!cp_defer_if_ending(cpl_handle_loop(&watch->base), &watch->deferred)) {
    deliver(watch);
  }
}

static void on_signal(uv_signal_t *uv, int signum)
{
  signal_watch *watch = uv->data;

  (void)signum;
  watch->pending++;
  uv_idle_start(watch->deliver, on_deliver);
}

/* signal(owner) -> handle. It does not keep the loop alive. */
static int signal_new(lua_State *L)
{
  cpl_state *state = cpl_state_check(L);
  signal_watch *watch = cpl_handle_new(L, state, &kind, sizeof(*watch));
  uv_signal_t *uv = malloc(sizeof(*uv));
  uv_idle_t *idle = malloc(sizeof(*idle));
  int r = uv == NULL || idle == NULL ? -ENOMEM : uv_signal_init(state->runtime.loop.uv, uv);

  if (r < 0) {
    free(uv);
    free(idle);
    return luaL_error(L, "child_process: cannot make a signal handle: %s", uv_strerror(r));
  }
  uv_idle_init(state->runtime.loop.uv, idle);
  uv->data = watch;
  idle->data = watch;
  uv_unref((uv_handle_t *)uv);
  watch->base.core = uv;
  watch->deliver = idle;
  watch->deferred = (cp_deferred){.callback = deliver, .owner = watch};
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* handle:start(signum) -> errno. Calls owner:onsignal(signum) each time the signal arrives. */
static int signal_start(lua_State *L)
{
  signal_watch *watch = cpl_handle_check_claimed(L, CLASS);
  int signum = cpl_check_int(L, 2);
  int r = 0;

  cpl_handle_anchor(L, &watch->base, 1);
  r = uv_signal_start(watch->base.core, on_signal, signum);
  if (r == 0) {
    cp_terminal_signals_yield(signum);
  }
  cp_loop_note_change(&watch->base.state->runtime.loop);
  return cpl_handle_settle(L, &watch->base, r);
}

/* handle:stop(): restores the former effect of the signal. */
static int signal_stop(lua_State *L)
{
  signal_watch *watch = cpl_handle_check_claimed(L, CLASS);

  uv_signal_stop(watch->base.core);
  uv_idle_stop(watch->deliver);
  watch->pending = 0;
  cp_deferred_remove(cpl_handle_loop(&watch->base), &watch->deferred);
  cp_terminal_signals_refresh();
  cpl_handle_release_if_idle(&watch->base);
  return 0;
}

void cpl_add_signal(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", cpl_handle_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"start", signal_start},
      {"stop", signal_stop},
      {NULL, NULL},
  };

  cpl_object_class(L, CLASS, metamethods, methods);
  lua_pushcfunction(L, signal_new);
  lua_setfield(L, -2, "signal");
}
