/* Byte strings from C memory. */
#ifndef CP_BINDING_BYTES_H
#define CP_BINDING_BYTES_H

#include "../core/buffer.h"

#include <lua.h>

/* Pushes a string with what the buffer holds. As lua_pushlstring, it raises where there is no memory;
 * the buffer stays the caller's. */
void cp_bytes_push(lua_State *L, const cp_buffer *buffer);

#endif
