/* What there is once for each Lua state: the event loop, and the way from its callbacks into Lua.
 *
 * libuv's callbacks must not be left by a Lua error, and Lua functions must not run on whatever
 * coroutine happens to turn the loop. So all calls into Lua go through cp_state_call, which runs
 * them protected on a coroutine of their own, keeps the error that one raises, and stops the loop so
 * that `run` can raise it. */
#ifndef CP_STATE_H
#define CP_STATE_H

#include "../core/buffer.h"
#include "../core/loop.h"

#include <lua.h>

typedef struct cp_state {
  cp_loop loop;
  lua_State *callbacks;
  size_t string_header; /* see string_buffer.h */
  uv_idle_t *wake;      /* makes a loop turn that somebody else drives, so that ticks are drained */
  cp_buffer scratch;    /* for a message that is being encoded */
  bool encoding;        /* the scratch is in use */
  bool has_ticks;       /* since it was set to false */
  int depth;            /* calls into Lua that have not returned yet */
  bool running;
  bool closed;        /* the Lua state is being closed */
  bool lost_an_error; /* there was no memory to keep it */
} cp_state;

/* Makes the state's userdata and keeps it in the registry, unless it is there. Raises when the loop
 * cannot be made. */
void cp_state_open(lua_State *L);

/* The one of this Lua state. Raises when the Lua state is being closed. */
cp_state *cp_state_check(lua_State *L);

/* Calls `function` with `argument` as light userdata; in it everything may raise. It is meant to end
 * with cp_state_dispatch. */
void cp_state_call(cp_state *state, lua_CFunction function, void *argument);

/* Calls a method by its name, and drains the ticks that it leaves. On the stack: its object and
 * `argument_count` arguments; they are taken off. */
void cp_state_dispatch(lua_State *L, const char *method, int argument_count);

/* For those who call methods often and directly: drains the ticks that one has left. */
void cp_state_drain(lua_State *L, cp_state *state);

/* Adds run, stop and the like to the table on top of the stack. */
void cp_state_functions(lua_State *L);

#endif
