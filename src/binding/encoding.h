/* Text encodings for Lua. */
#ifndef CP_BINDING_ENCODING_H
#define CP_BINDING_ENCODING_H

#include <lua.h>

/* Pushes a table with the functions that lua/child_process/encoding.lua describes: normalize,
 * decoder, decode and encode. */
int cp_open_encoding(lua_State *L);

#endif
