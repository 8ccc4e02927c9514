/* A descriptor that was received with a message, and that nothing reads or writes yet. */
#ifndef CPL_DESCRIPTOR_H
#define CPL_DESCRIPTOR_H

#include "compat/lua.h"

/* Pushes a new object, and returns where to store its descriptor. The object closes it when it is
 * collected. */
int *cpl_descriptor_push(lua_State *L);

#endif
