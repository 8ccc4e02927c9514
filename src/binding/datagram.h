/* The userdata of a UDP socket, for the files that implement its methods. */
#ifndef CPL_DATAGRAM_H
#define CPL_DATAGRAM_H

#include "binding/handle.h"
#include "core/net/datagram.h"

extern const char cpl_datagram_class[];

/* Returns the socket of the open handle that a method is called on, or raises. */
static inline cp_datagram *cpl_datagram_check(lua_State *L)
{
  cpl_handle *handle = cpl_handle_check(L, 1, cpl_datagram_class);

  return handle->core;
}

#endif
