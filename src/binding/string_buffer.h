/* A buffer that becomes a Lua string without being copied.
 *
 * Lua copies what a string is made of. For hundreds of megabytes of output that takes as long as reading
 * them, most of it page faults, and twice the memory. Lua 5.5 has lua_pushexternalstring for this; 5.4 has
 * nothing. So the buffer is in memory of the state's own allocator, with its bytes at the distance from
 * the begin where Lua keeps those of a string; and when Lua asks the allocator for the string's memory it
 * is given this. What that relies on is measured, not assumed: that a long string is one block of a header,
 * its bytes and a zero. */
#ifndef CP_BINDING_STRING_BUFFER_H
#define CP_BINDING_STRING_BUFFER_H

#include "../core/buffer.h"

#include <lua.h>

/* How far the bytes of a string are from the begin of its memory; 0 if this cannot be found out, and
 * then strings are copied. */
size_t cp_string_buffer_measure(lua_State *L);

/* An empty buffer that can become a string, given what cp_string_buffer_measure has returned. */
cp_buffer cp_string_buffer_new(lua_State *L, size_t header);

/* Pushes a string with what the buffer holds; the buffer is empty then. Raises where there is no memory,
 * and leaves the buffer to the caller. */
void cp_string_buffer_push(lua_State *L, cp_buffer *buffer);

#endif
