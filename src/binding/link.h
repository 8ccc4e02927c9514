/* The userdata of a link between a host and its agent. It stays anchored until it is closed. */
#ifndef CPL_LINK_H
#define CPL_LINK_H

#include "binding/handle.h"
#include "core/link/link.h"

extern const char cpl_link_class[];

/* Returns the open link that a method is called on, or raises. */
static inline cp_link *cpl_link_check(lua_State *L)
{
  const cpl_handle *handle = cpl_handle_check(L, 1, cpl_link_class);

  return handle->core;
}

/* Returns the number of a child at `index`, or raises. */
uint32_t cpl_link_check_child(lua_State *L, int index);

#endif
