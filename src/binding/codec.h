/* Functions that the Lua side of the codecs json and clone shares. */
#ifndef CPL_CODEC_H
#define CPL_CODEC_H

#include "codec/decode_error.h"
#include "compat/lua.h"
#include "core/base/buffer.h"

#include <stdbool.h>

/* Appends the encoded value at `index`. Returns false if the value has no encoded form. May raise;
 * the error names the place in the value, without the `wrapped` outermost tables. */
typedef bool cpl_encode_function(lua_State *L, int index, int wrapped, cp_buffer *out);

/* Decodes the bytes and pushes the value. If they are invalid, returns false and pushes nothing. */
typedef bool cpl_decode_function(lua_State *L, const char *bytes, size_t length,
                                 cp_decode_error *error);

/* encode(value) -> bytes, or nil if the value has no encoded form. Raises what encoding raises. */
int cpl_codec_encode(lua_State *L, cpl_encode_function *encode);

/* decode(bytes) -> value, or nil, reason, offset from 1 */
int cpl_codec_decode(lua_State *L, cpl_decode_function *decode);

/* Checks that the argument is a function, and calls `keep`, which pops it. */
int cpl_codec_keep_function(lua_State *L, void (*keep)(lua_State *L));

#endif
