/* Data that exists once for each Lua state: the event loop, and what its calls into Lua need. */
#ifndef CPL_STATE_H
#define CPL_STATE_H

#include "compat/lua.h"
#include "core/base/buffer.h"
#include "core/base/list.h"
#include "core/runtime.h"

/* Key in the registry where a host stores its uv_loop_t, as light userdata. */
#define CPL_HOST_LOOP_KEY "child_process.uv_loop"

/* The base of everything that ends with the state, which calls `close` and removes the entry from
 * its list. */
typedef struct cpl_member {
  void (*close)(struct cpl_member *member);
  CP_LIST_ENTRY(cpl_member) entry;
} cpl_member;

typedef struct cpl_state {
  cp_runtime runtime;
  CP_LIST(cpl_member) members;
  lua_State *callbacks; /* the coroutine of all calls from the loop, see call.h */
  size_t string_header; /* see string_buffer.h */
  uv_idle_t *wake;      /* makes the loop, even a host's, run an iteration that drains the ticks */
  cp_buffer scratch;    /* for a message that is being encoded */
  bool encoding;        /* the scratch is in use */
  unsigned encodes;     /* calls of encode that have not returned yet */
  bool has_ticks;       /* ticks were added since the last drain */
  int depth;            /* calls into Lua that have not returned yet */
  bool closed;          /* see cpl_state_close */
  bool lost_an_error;   /* an error could not be kept, out of memory */
  unsigned fork_depth;  /* cp_fork_depth of the process that the state belongs to */
} cpl_state;

/* Makes the state's userdata and keeps it in the registry, unless it is there already. Raises if
 * the loop cannot be made. */
void cpl_state_open(lua_State *L);

/* Returns the cpl_state of this Lua state; NULL before the first cpl_state_open. */
cpl_state *cpl_state_get(lua_State *L);

/* The same, and claims the state. Raises after it was closed. */
cpl_state *cpl_state_check(lua_State *L);

/* Closes the members, the last one first, and the runtime. Nothing is called back, and the host's
 * loop frees our handles in its next iteration. Does nothing when called again. Must not be called
 * while the loop of the state runs. */
void cpl_state_close(cpl_state *state);

/* Pops a function, which is then called once in each forked process that uses the state. */
void cpl_state_set_copied(lua_State *L);

/* Makes the state belong to this forked process, and calls the function above. Does not raise: when
 * out of memory, it does not call the function. */
void cpl_state_renew(lua_State *L, cpl_state *state);

/* Call this wherever a forked process may use the state for the first time. */
static inline void cpl_state_claim(lua_State *L, cpl_state *state)
{
  if (state->fork_depth != cp_fork_depth) {
    cpl_state_renew(L, state);
  }
}

#endif
