/* What json and clone have in common for Lua. */
#ifndef CP_BINDING_CODEC_H
#define CP_BINDING_CODEC_H

#include "../codec/decode_error.h"
#include "../core/buffer.h"

#include <lua.h>
#include <stdbool.h>

/* Appends what the value at `index` is written as; false if it has no such form. May raise, and names
 * the place then without the `wrapped` outermost tables. */
typedef bool cp_encode_function(lua_State *L, int index, int wrapped, cp_buffer *out);

/* Pushes the value that the bytes stand for. False, with nothing pushed, if they stand for none. */
typedef bool cp_decode_function(lua_State *L, const char *bytes, size_t length,
                                cp_decode_error *error);

/* encode(value) -> bytes, or nil if it has no such form. Raises what encoding raises. */
int cp_codec_encode(lua_State *L, cp_encode_function *encode);

/* decode(bytes) -> value, or nil, reason, offset from 1 */
int cp_codec_decode(lua_State *L, cp_decode_function *decode);

/* Leaves the argument, a function, to `keep`, which takes it off the stack. */
int cp_codec_keep_function(lua_State *L, void (*keep)(lua_State *L));

#endif
