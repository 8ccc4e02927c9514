#include "signal.h"

#include "anchor.h"
#include "object.h"
#include "state.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

static const char CLASS[] = "child_process.SignalHandle";

/* The parts that libuv works on outlive the userdata until they are closed. Listeners are called from
 * `deliver`, because a signal handle cannot be closed while it calls back, and a listener may end the
 * program. */
typedef struct signal_handle {
  uv_signal_t uv;
  uv_idle_t deliver;
  unsigned pending; /* signals that came and were not delivered yet */
  int open;         /* of the two */
  cp_state *state;
  cp_anchor anchor;
} signal_handle;

static signal_handle *of_deliver(uv_idle_t *deliver)
{
  return (signal_handle *)((char *)deliver - offsetof(signal_handle, deliver));
}

static void close_part(signal_handle *handle)
{
  handle->open--;
  if (handle->open == 0) {
    free(handle);
  }
}

static void on_signal_closed(uv_handle_t *uv)
{
  close_part((signal_handle *)uv);
}

static void on_deliver_closed(uv_handle_t *deliver)
{
  close_part(of_deliver((uv_idle_t *)deliver));
}

static signal_handle *check_signal(lua_State *L)
{
  signal_handle **box = cp_object_check(L, 1, CLASS);

  cp_state_check(L);
  luaL_argcheck(L, *box != NULL, 1, "was collected");
  return *box;
}

static int call_on_signal(lua_State *L)
{
  const signal_handle *handle = lua_touserdata(L, 1);

  cp_anchor_push_owner(L, handle->anchor);
  lua_pushinteger(L, handle->uv.signum);
  cp_state_dispatch(L, "onsignal", 1);
  return 0;
}

static void on_deliver(uv_idle_t *deliver)
{
  signal_handle *handle = of_deliver(deliver);

  handle->pending--;
  if (handle->pending == 0) {
    uv_idle_stop(deliver);
  }
  cp_state_call(handle->state, call_on_signal, handle);
}

static void on_signal(uv_signal_t *uv, int signum)
{
  signal_handle *handle = (signal_handle *)uv;

  (void)signum;
  handle->pending++;
  uv_idle_start(&handle->deliver, on_deliver);
}

/* signal(owner) -> handle. It does not keep the loop alive. */
static int signal_new(lua_State *L)
{
  cp_state *state = cp_state_check(L);
  signal_handle **box = cp_object_new(L, CLASS, sizeof(*box));
  signal_handle *handle = malloc(sizeof(*handle));
  int r = handle == NULL ? UV_ENOMEM : uv_signal_init(state->loop.uv, &handle->uv);

  if (r < 0) {
    free(handle);
    return luaL_error(L, "child_process: cannot make a signal handle: %s", uv_strerror(r));
  }
  uv_idle_init(state->loop.uv, &handle->deliver);
  handle->deliver.data = NULL;
  handle->uv.data = NULL;
  handle->pending = 0;
  handle->open = 2;
  handle->state = state;
  handle->anchor = LUA_NOREF;
  uv_unref((uv_handle_t *)&handle->uv);
  *box = handle;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

static int signal_gc(lua_State *L)
{
  signal_handle **box = lua_touserdata(L, 1);

  if (*box != NULL) {
    uv_close((uv_handle_t *)&(*box)->uv, on_signal_closed);
    uv_close((uv_handle_t *)&(*box)->deliver, on_deliver_closed);
    *box = NULL;
  }
  return 0;
}

/* handle:start(signum) -> errno. Calls owner:onsignal(signum) each time the signal comes. */
static int signal_start(lua_State *L)
{
  signal_handle *handle = check_signal(L);
  int r = uv_signal_start(&handle->uv, on_signal, cp_check_int(L, 2));

  cp_anchor_set(L, &handle->anchor, 1, r == 0);
  return cp_push_errno(L, r);
}

/* handle:stop(): the signal has its former effect again. */
static int signal_stop(lua_State *L)
{
  signal_handle *handle = check_signal(L);

  uv_signal_stop(&handle->uv);
  uv_idle_stop(&handle->deliver);
  handle->pending = 0;
  cp_anchor_release(L, &handle->anchor);
  return 0;
}

void cp_signal_functions(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", signal_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"start", signal_start},
      {"stop", signal_stop},
      {NULL, NULL},
  };

  cp_object_class(L, CLASS, metamethods, methods);
  lua_pushcfunction(L, signal_new);
  lua_setfield(L, -2, "signal");
}
