/* Streams on descriptors, as Lua sees them: reading, writing and splicing without any policy. */
#ifndef CP_BINDING_STREAM_H
#define CP_BINDING_STREAM_H

#include "state.h"

/* Pushes a new stream handle on `fd`, which the handle closes unless `flags` (CP_STREAM_..., see
 * core/stream.h) say that it is borrowed. Raises when there is no memory; then the descriptor is
 * the caller's. */
void cp_stream_handle_push(lua_State *L, cp_state *state, int fd, int flags);

/* Pushes a new stream handle on a socket, which is closed in any case: by the handle, or before this
 * raises. */
void cp_stream_handle_push_socket(lua_State *L, int fd);

/* Adds the class's constructors to the table on top of the stack. */
void cp_stream_functions(lua_State *L);

#endif
