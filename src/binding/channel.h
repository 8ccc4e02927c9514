/* The userdata of a message channel. It stays anchored, with its owner, until it is closed. */
#ifndef CPL_CHANNEL_H
#define CPL_CHANNEL_H

#include "binding/handle.h"
#include "binding/serialization.h"
#include "core/channel/channel.h"

extern const char cpl_channel_class[];

typedef struct cpl_channel_handle {
  cpl_handle base; /* on a cp_channel */
  const cpl_serialization *serialization;
  bool has_new_owner; /* the owner's method `deliver` is to be looked up again */
} cpl_channel_handle;

/* Returns the open handle that a method is called on, or raises. */
static inline cpl_channel_handle *cpl_channel_handle_check(lua_State *L)
{
  return cpl_handle_check(L, 1, cpl_channel_class);
}

/* Returns its channel. */
static inline cp_channel *cpl_channel_check(lua_State *L)
{
  return cpl_channel_handle_check(L)->base.core;
}

/* Pushes a new handle on a connected Unix socket. Raises when out of memory; then the caller still
 * owns the descriptor. */
void cpl_channel_push(lua_State *L, cpl_state *state, int fd);

#endif
