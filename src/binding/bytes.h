/* Byte strings that come without being copied.
 *
 * Lua copies what a string is made of. For hundreds of megabytes of output that takes as long as reading
 * them, most of it page faults, and twice the memory. So output is collected in memory of the state's
 * own allocator, at the distance from its begin where Lua keeps the bytes of a string; and when Lua asks
 * the allocator for the string's memory it is given this one. */
#ifndef CP_BINDING_BYTES_H
#define CP_BINDING_BYTES_H

#include "../core/buffer.h"

#include <lua.h>

/* How far the bytes of a string are from the begin of its memory; 0 if this cannot be found out, and
 * then strings are copied. */
size_t cp_bytes_measure_header(lua_State *L);

/* An empty buffer that can become a string, given what cp_bytes_measure_header has returned. */
cp_buffer cp_bytes_buffer(lua_State *L, size_t header);

/* Pushes a string with what the buffer holds; the buffer is empty then. Raises where there is no memory,
 * and leaves the buffer to the caller. */
void cp_bytes_push(lua_State *L, cp_buffer *buffer);

#endif
