/* Runs the loop, and reports what a host that runs it has to wait for. */
#include "binding/call.h"
#include "binding/kept_errors.h"
#include "binding/parts.h"
#include "binding/state.h"
#include "compat/lua.h"
#include "core/loop/alarm.h"
#include "core/loop/iteration.h"
#include "core/process/terminal_signals.h"

#include <errno.h>

typedef enum run_mode { RUN_DEFAULT, RUN_ONCE, RUN_NOWAIT } run_mode;

static int do_nothing(lua_State *L)
{
  (void)L;
  return 0;
}

/* The stock interpreter's handler of SIGINT sets a hook on the main coroutine that raises
 * "interrupted!". The hook has no effect while no Lua code runs, so we run some after each signal,
 * and before each wait if there is a hook. If the main coroutine waits for this one, this one
 * borrows its hook. Returns false with the error on the stack. */
static bool run_hook(lua_State *L, bool signaled)
{
  lua_State *main = cp_lua_main(L);
  int status = LUA_OK;

  main = main == NULL ? L : main;
  if (!signaled && lua_gethookmask(main) == 0) {
    return true;
  }
  lua_pushcfunction(L, do_nothing);
  if (L == main || lua_gethook(L) != NULL || lua_gethook(main) == NULL) {
    status = lua_pcall(L, 0, 0, 0);
  } else {
    lua_sethook(L, lua_gethook(main), lua_gethookmask(main), lua_gethookcount(main));
    status = lua_pcall(L, 0, 0, 0);
    lua_sethook(L, NULL, 0, 0);
  }
  return status == LUA_OK;
}

/* Returns false if an error is on the stack. */
static bool run_loop(lua_State *L, cp_loop *loop, run_mode mode)
{
  bool again = !cp_loop_is_stopped(loop) && (mode != RUN_DEFAULT || cp_loop_is_alive(loop));
  int r = 0;

  /* The stock interpreter sets its own handler of SIGINT each time when it runs code. */
  cp_terminal_signals_refresh();
  while (again) {
    if (!run_hook(L, r == -EINTR)) {
      return false;
    }
    r = cp_loop_iterate(loop, mode != RUN_NOWAIT && cp_loop_is_alive(loop));
    if (r < 0 && r != -EINTR) {
      lua_pushfstring(L, "child_process: the loop cannot wait: %s", uv_strerror(r));
      return false;
    }
    again = r < 0 || (mode == RUN_DEFAULT && !cp_loop_is_stopped(loop) && cp_loop_is_alive(loop));
  }
  return true;
}

/* Drains the ticks, and runs the loop unless one of them raises. Returns false if an error is on
 * the stack. */
static bool drain_and_run(lua_State *L, cpl_state *state, run_mode mode)
{
  bool only_ticks = uv_is_active((uv_handle_t *)state->wake);

  uv_idle_stop(state->wake);
  if (!cpl_call_drain_protected(state)) {
    return true; /* the error is kept */
  }
  /* If only ticks asked for this run and nothing keeps the loop alive after them, unreferenced
   * handles are not served: luv's loop calls us once more like this just before it ends. */
  return (only_ticks && !cp_loop_is_alive(&state->runtime.loop)) ||
         run_loop(L, &state->runtime.loop, mode);
}

/* run([mode]) -> whether anything still keeps the loop alive. Raises the first error of a
 * callback. */
static int run(lua_State *L)
{
  static const char *const names[] = {"default", "once", "nowait", NULL};
  static const run_mode modes[] = {RUN_DEFAULT, RUN_ONCE, RUN_NOWAIT};
  cpl_state *state = cpl_state_check(L);
  run_mode mode = modes[luaL_checkoption(L, 1, "default", names)];
  cp_loop *loop = &state->runtime.loop;
  bool ok = true;

  if (cp_loop_is_running(loop) || state->depth > 0) {
    return luaL_error(L, "child_process: run was called from a callback of the running loop");
  }
  if (cp_loop_error(loop) < 0) {
    return luaL_error(L,
                      "child_process: cannot make an event loop for this copy of the process: %s",
                      uv_strerror(cp_loop_error(loop)));
  }
  cpl_kept_errors_raise(L, state);
  cp_loop_begin_run(loop);
  ok = drain_and_run(L, state, mode);
  cp_channels_flush(&state->runtime.channels);
  cp_loop_end_run(loop);
  cp_lua_set_running(L);
  if (!ok) {
    return lua_error(L);
  }
  cpl_kept_errors_raise(L, state);
  lua_pushboolean(L, cp_loop_is_alive(loop));
  return 1;
}

/* stop(): makes run return after the running callback. */
static int stop(lua_State *L)
{
  cpl_state *state = cpl_state_check(L);

  if (cp_loop_is_running(&state->runtime.loop)) {
    cp_loop_interrupt(&state->runtime.loop);
  }
  return 0;
}

/* isRunning() -> whether `run` or a callback is running; a host may run the loop, too */
static int is_running(lua_State *L)
{
  const cpl_state *state = cpl_state_check(L);

  lua_pushboolean(L, cp_loop_is_running(&state->runtime.loop) || state->depth > 0);
  return 1;
}

/* isEnding() -> whether the running `run` is to return: other events wait for the next one */
static int is_ending(lua_State *L)
{
  lua_pushboolean(L, cp_loop_is_ending(&cpl_state_check(L)->runtime.loop));
  return 1;
}

/* backend() -> descriptor that becomes readable when the loop has something to do */
static int backend(lua_State *L)
{
  lua_pushinteger(L, cp_loop_descriptor(&cpl_state_check(L)->runtime.loop));
  return 1;
}

/* openAlarm(): makes the descriptor of `backend` readable from now on also when the loop needs an
 * iteration for something else than a descriptor. Raises if the system allows no more
 * descriptors. */
static int open_alarm(lua_State *L)
{
  int r = cp_alarm_open(&cpl_state_check(L)->runtime.loop);

  return r < 0 ? luaL_error(L, "child_process: cannot wake another loop: %s", uv_strerror(r)) : 0;
}

/* timeout() -> milliseconds after which the loop wants an iteration, nil for no limit */
static int timeout(lua_State *L)
{
  int ms = cp_loop_timeout(&cpl_state_check(L)->runtime.loop);

  if (ms < 0) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, ms);
  }
  return 1;
}

void cpl_add_run(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"run", run},
      {"stop", stop},
      {"isRunning", is_running},
      {"isEnding", is_ending},
      {"backend", backend},
      {"openAlarm", open_alarm},
      {"timeout", timeout},
      {NULL, NULL},
  };

  luaL_setfuncs(L, functions, 0);
  cp_lua_keep_function(L, do_nothing);
}
