/* The base of every userdata that the loop calls back: streams, listeners, datagrams, channels,
 * lookups, children, timers, immediates and signals.
 *
 * A handle is anchored (kept by a reference in the registry) while the loop can call it back, and
 * during such a call, whatever the call closes or collects. */
#ifndef CPL_HANDLE_H
#define CPL_HANDLE_H

#include "binding/object.h"
#include "binding/state.h"

/* A reference in the registry, or LUA_NOREF. */
typedef int cpl_anchor;

struct cpl_handle;

/* What all handles of a class have in common. */
typedef struct cpl_handle_kind {
  const char *name; /* of the class */
  /* Whether the loop can call back. Only called for an open handle. */
  bool (*is_active)(const struct cpl_handle *handle);
  /* Ends the callbacks. May be called again, and before `core` is set. */
  void (*close)(struct cpl_handle *handle);
} cpl_handle_kind;

/* The first member of every handle. */
typedef struct cpl_handle {
  cpl_member member; /* first, so that a pointer to it is a pointer to the handle */
  cpl_state *state;
  void *core; /* the object of the loop that calls back, NULL once the handle is closed */
  const cpl_handle_kind *kind;
  cpl_anchor anchor;
  const void *input; /* an object of the loop, besides `core`, that calls back for it, or NULL */
  int calls;         /* number of running calls into Lua for this handle */
  bool is_own_owner; /* the loop calls methods of the handle itself */
} cpl_handle;

/* Pushes a new handle, zeroed except for the fields above. It is not anchored yet. It is closed
 * when it is collected, or with the state. */
void *cpl_handle_new(lua_State *L, cpl_state *state, const cpl_handle_kind *kind, size_t size);

/* The loop that calls back. */
static inline cp_loop *cpl_handle_loop(const cpl_handle *handle)
{
  return &handle->state->runtime.loop;
}

/* The finalizer of every handle. */
int cpl_handle_gc(lua_State *L);

/* Pushes a table of all anchored handles, by their own address and by those of their `core` and
 * `input`, as light userdata. */
void cpl_handle_push_all(lua_State *L, const cpl_state *state);

/* Calls `push` with `argument` as light userdata, to push a handle that owns `fd`. If that raises,
 * closes `fd` and raises the error again. */
void cpl_handle_push_owning(lua_State *L, int fd, lua_CFunction push, void *argument);

/* Raises the error that a handle of class `name` is closed. */
int cpl_handle_raise_closed(lua_State *L, const char *name);

/* Returns the open handle of class `name` at `index`. Raises if the value is not such a handle, or
 * if the handle is closed. */
static inline void *cpl_handle_check(lua_State *L, int index, const char *name)
{
  cpl_handle *handle = cpl_object_check(L, index, name);

  if (handle->core == NULL) {
    cpl_handle_raise_closed(L, name);
  }
  return handle;
}

/* The same for the first argument of a method that calls libuv itself: claims the state, since this
 * may be its first use in a forked process. */
static inline void *cpl_handle_check_claimed(lua_State *L, const char *name)
{
  void *handle = cpl_handle_check(L, 1, name);

  cpl_state_check(L);
  return handle;
}

/* Anchors the handle, which is at `index`. Call it before anything that may make the handle active,
 * since it may raise. */
void cpl_handle_anchor(lua_State *L, cpl_handle *handle, int index);

/* Pushes the handle, which must be anchored. */
void cpl_handle_push(lua_State *L, const cpl_handle *handle);

/* Releases the anchor unless the handle is active or being called. Cannot raise. */
void cpl_handle_release_if_idle(cpl_handle *handle);

/* The same at the end of a method whose work returned `r`: pushes `r` if it is a negative errno,
 * and returns the number of results. */
int cpl_handle_settle(lua_State *L, cpl_handle *handle, int r);

#endif
