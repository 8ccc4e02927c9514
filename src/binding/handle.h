/* What handles on descriptors have in common: they stay for as long as something can call them back, and
 * while it does, whatever that closes or collects. */
#ifndef CP_BINDING_HANDLE_H
#define CP_BINDING_HANDLE_H

#include "anchor.h"
#include "state.h"

/* Comes first in each of them. */
typedef struct cp_handle {
  cp_state *state;
  cp_anchor anchor;
  int busy; /* calls into Lua that are running for it */
  /* Whether another one can come. */
  bool (*is_active)(const struct cp_handle *handle);
} cp_handle;

/* Pushes a new handle of class `name`, zeroed but for the fields above; it is not anchored yet. */
void *cp_handle_new(lua_State *L, cp_state *state, const char *name, size_t size,
                    bool (*is_active)(const cp_handle *handle));

/* Pushes what `push` pushes for the light userdata `argument`: a handle that closes `fd`, which is closed,
 * too, if this raises. */
void cp_handle_push_owner_of(lua_State *L, int fd, lua_CFunction push, void *argument);

/* Calls `function` as cp_state_call does; the handle may have been collected when this returns. */
void cp_handle_call(cp_handle *handle, lua_CFunction function, void *event);

/* Calls a method of the owner's, without arguments. */
void cp_handle_tell(cp_handle *handle, const char *method);

/* Pushes the owner. To be used while it is anchored. */
void cp_handle_push_owner(lua_State *L, const cp_handle *handle);

/* Anchors the handle, which is at `index`. Comes before what may make it active, as this may raise. */
void cp_handle_anchor(lua_State *L, cp_handle *handle, int index);

/* Lets go of the handle unless it is active. Cannot raise. */
void cp_handle_release_if_idle(cp_handle *handle);

/* The same, behind what has come out as `r`: pushes the negative errno if it is one, and returns the number
 * of results. */
int cp_handle_settle(lua_State *L, cp_handle *handle, int r);

#endif
