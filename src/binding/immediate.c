/* Calls the owner of an immediate once, after the events of an iteration of the loop. */
#include "binding/emit.h"
#include "binding/parts.h"
#include "core/loop/deferred.h"

#include <stdlib.h>

static const char CLASS[] = "child_process.ImmediateHandle";

/* Both parts are allocated apart, since the handle may be collected before libuv has closed them.
 */
typedef struct immediate {
  cpl_handle base; /* on a uv_check_t, which calls back */
  uv_idle_t *idle; /* keeps the loop from waiting for events */
  cp_deferred deferred;
} immediate;

static bool is_active(const cpl_handle *handle)
{
  return uv_is_active(handle->core);
}

static void close_handle(cpl_handle *handle)
{
  immediate *i = (immediate *)handle;

  if (handle->core != NULL) {
    cp_deferred_remove(cpl_handle_loop(&i->base), &i->deferred);
    uv_close(handle->core, cp_loop_free_handle);
    uv_close((uv_handle_t *)i->idle, cp_loop_free_handle);
    handle->core = NULL;
  }
}

static const cpl_handle_kind kind = {CLASS, is_active, close_handle};

static void stop(immediate *i)
{
  cp_deferred_remove(cpl_handle_loop(&i->base), &i->deferred);
  uv_check_stop(i->base.core);
  uv_idle_stop(i->idle);
}

static void call_owner(void *owner)
{
  immediate *i = owner;

  stop(i);
  cpl_emit(&i->base, "onimmediate", NULL, 0);
}

static void on_check(uv_check_t *check)
{
  immediate *i = check->data;

  if (!cp_defer_if_ending(cpl_handle_loop(&i->base), &i->deferred)) {
    call_owner(i);
  }
}

static void do_nothing(uv_idle_t *idle)
{
  (void)idle;
}

/* immediate(owner) -> handle */
static int immediate_new(lua_State *L)
{
  cpl_state *state = cpl_state_check(L);
  immediate *i = cpl_handle_new(L, state, &kind, sizeof(*i));
  uv_check_t *check = malloc(sizeof(*check));
  uv_idle_t *idle = malloc(sizeof(*idle));

  if (check == NULL || idle == NULL) {
    free(check);
    free(idle);
    return luaL_error(L, "child_process: not enough memory for an immediate");
  }
  uv_check_init(state->runtime.loop.uv, check);
  uv_idle_init(state->runtime.loop.uv, idle);
  check->data = i;
  idle->data = i;
  uv_unref((uv_handle_t *)check); /* the other part decides whether the loop is alive */
  i->base.core = check;
  i->idle = idle;
  i->deferred = (cp_deferred){.callback = call_owner, .owner = i};
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* handle:start(): calls owner:onimmediate() once. */
static int immediate_start(lua_State *L)
{
  immediate *i = cpl_handle_check_claimed(L, CLASS);

  cpl_handle_anchor(L, &i->base, 1);
  uv_check_start(i->base.core, on_check);
  uv_idle_start(i->idle, do_nothing);
  cp_loop_note_work(&i->base.state->runtime.loop);
  return 0;
}

/* handle:stop() */
static int immediate_stop(lua_State *L)
{
  immediate *i = cpl_handle_check_claimed(L, CLASS);

  stop(i);
  cpl_handle_release_if_idle(&i->base);
  return 0;
}

/* handle:reference(on): sets whether it keeps the loop alive. */
static int immediate_reference(lua_State *L)
{
  const immediate *i = cpl_handle_check_claimed(L, CLASS);

  cp_loop_reference_handle((uv_handle_t *)i->idle, lua_toboolean(L, 2));
  return 0;
}

void cpl_add_immediate(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", cpl_handle_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"start", immediate_start},
      {"stop", immediate_stop},
      {"reference", immediate_reference},
      {NULL, NULL},
  };

  cpl_object_class(L, CLASS, metamethods, methods);
  lua_pushcfunction(L, immediate_new);
  lua_setfield(L, -2, "immediate");
}
