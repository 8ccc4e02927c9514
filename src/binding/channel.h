/* Message channels. */
#ifndef CP_BINDING_CHANNEL_H
#define CP_BINDING_CHANNEL_H

#include "state.h"

/* Pushes a new handle on a connected Unix socket. It stays, with its owner, until it is closed. Raises when
 * there is no memory; then the descriptor is the caller's. */
void cp_channel_handle_push(lua_State *L, cp_state *state, int fd);

/* Adds `channel` to the table on top of the stack. */
void cp_channel_functions(lua_State *L);

#endif
