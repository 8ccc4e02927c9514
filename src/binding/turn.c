#include "turn.h"

#include "anchor.h"
#include "object.h"
#include "state.h"

#include <stddef.h>
#include <stdlib.h>

static const char CLASS[] = "child_process.TurnHandle";

/* The parts that libuv works on outlive the userdata until they are closed. */
typedef struct turn {
  uv_check_t check;
  uv_idle_t idle; /* keeps the loop from waiting for events before that */
  cp_state *state;
  cp_anchor anchor;
  int open; /* of the two */
} turn;

static void close_part(turn *t)
{
  t->open--;
  if (t->open == 0) {
    free(t);
  }
}

static void on_check_closed(uv_handle_t *check)
{
  close_part((turn *)check);
}

static void on_idle_closed(uv_handle_t *idle)
{
  close_part((turn *)((char *)idle - offsetof(turn, idle)));
}

static turn *check_turn(lua_State *L)
{
  turn **box = cp_object_check(L, 1, CLASS);

  cp_state_check(L);
  luaL_argcheck(L, *box != NULL, 1, "was collected");
  return *box;
}

static void stop(lua_State *L, turn *t)
{
  uv_check_stop(&t->check);
  uv_idle_stop(&t->idle);
  cp_anchor_release(L, &t->anchor);
}

static int call_on_turn(lua_State *L)
{
  turn *t = lua_touserdata(L, 1);

  cp_anchor_push_owner(L, t->anchor);
  stop(L, t);
  cp_state_dispatch(L, "onturn", 0);
  return 0;
}

static void on_check(uv_check_t *check)
{
  turn *t = (turn *)check;

  cp_state_call(t->state, call_on_turn, t);
}

static void do_nothing(uv_idle_t *idle)
{
  (void)idle;
}

/* turn(owner) -> handle */
static int turn_new(lua_State *L)
{
  cp_state *state = cp_state_check(L);
  turn **box = cp_object_new(L, CLASS, sizeof(*box));
  turn *t = malloc(sizeof(*t));

  if (t == NULL) {
    return luaL_error(L, "child_process: not enough memory");
  }
  t->state = state;
  t->anchor = LUA_NOREF;
  t->open = 2;
  uv_check_init(state->loop.uv, &t->check);
  uv_idle_init(state->loop.uv, &t->idle);
  t->check.data = NULL;
  t->idle.data = NULL;
  /* The other of the two decides whether the loop is alive. */
  uv_unref((uv_handle_t *)&t->check);
  *box = t;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

static int turn_gc(lua_State *L)
{
  turn **box = lua_touserdata(L, 1);

  if (*box != NULL) {
    uv_close((uv_handle_t *)&(*box)->check, on_check_closed);
    uv_close((uv_handle_t *)&(*box)->idle, on_idle_closed);
    *box = NULL;
  }
  return 0;
}

/* handle:start(): calls owner:onturn() once. */
static int turn_start(lua_State *L)
{
  turn *t = check_turn(L);

  cp_anchor_set(L, &t->anchor, 1, true);
  uv_check_start(&t->check, on_check);
  uv_idle_start(&t->idle, do_nothing);
  return 0;
}

/* handle:stop() */
static int turn_stop(lua_State *L)
{
  stop(L, check_turn(L));
  return 0;
}

/* handle:reference(on): whether it keeps the loop alive. */
static int turn_reference(lua_State *L)
{
  turn *t = check_turn(L);

  cp_loop_reference_handle((uv_handle_t *)&t->idle, lua_toboolean(L, 2));
  return 0;
}

void cp_turn_functions(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", turn_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"start", turn_start},
      {"stop", turn_stop},
      {"reference", turn_reference},
      {NULL, NULL},
  };

  cp_object_class(L, CLASS, metamethods, methods);
  lua_pushcfunction(L, turn_new);
  lua_setfield(L, -2, "turn");
}
