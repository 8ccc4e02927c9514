/* A buffer that becomes a Lua string without being copied.
 *
 * Lua copies the bytes of a string that C pushes. For hundreds of megabytes of output, that takes
 * as long as reading them (mostly page faults), and twice the memory. Lua 5.5 has
 * lua_pushexternalstring for this; 5.4 has nothing. So the buffer is allocated by the state's own
 * allocator, and leaves as much room before its bytes as Lua's header of a string takes. When Lua
 * asks the allocator for the string's memory, it gets this block. This relies on a long string
 * being one block of a header, its bytes and a zero. cpl_string_buffer_measure finds out whether it
 * is. */
#ifndef CPL_STRING_BUFFER_H
#define CPL_STRING_BUFFER_H

#include "compat/lua.h"
#include "core/base/buffer.h"

/* Returns the size of the header before the bytes of a string; 0 if that is not possible, and then
 * strings are copied. */
size_t cpl_string_buffer_measure(lua_State *L);

/* Returns an empty buffer that can become a string. `header` is the result of
 * cpl_string_buffer_measure. */
cp_buffer cpl_string_buffer_new(lua_State *L, size_t header);

/* Pushes the bytes of the buffer as a string, and empties the buffer. Raises when out of memory,
 * and leaves the buffer unchanged. */
void cpl_string_buffer_push(lua_State *L, cp_buffer *buffer);

#endif
