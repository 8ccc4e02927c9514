/* Structured clone: V8's serialization format, which Node uses on a channel with `serialization:
 * 'advanced'`. Values are encoded straight from the Lua stack and decoded straight onto it. The
 * encoder writes version 15 of the format, the decoder reads versions 13 to 15.
 * doc/manual/messages.md lists which value becomes which.
 *
 * V8 skips zero bytes before a value. It writes at most one itself, before a two-byte string. Here
 * a zero byte before any other value is a private mark. It distinguishes values that differ in Lua
 * but not in JavaScript:
 *
 *   mark before      meaning
 *   a double         a float, although an integer has the same value
 *   a BigInt         an object of the class BigInt, although an integer has the same value
 *   a key            the key is this number, not its name
 *   a map            a table with keys that no JavaScript object can have
 *
 * Both directions bypass metamethods, and neither recurses for nested values. */
#ifndef CP_CLONE_H
#define CP_CLONE_H

#include "codec/decode_error.h"
#include "compat/lua.h"
#include "core/base/buffer.h"

#include <stdbool.h>

/* Tables that are nested deeper than this are an error, in both directions. */
#define CP_CLONE_DEPTH 1000

/* Appends the header and the encoded value. Always returns true: unlike in JSON, a value without an
 * encoding is an error. Raises for functions, coroutines, userdata and excessive depth, if the
 * classes cannot be loaded, and when out of memory. After an error `out` may end with part of the
 * value, which the caller removes. Finalizers may run during the call and must not touch `out`. For
 * `wrapped` see cp_json_encode. */
bool cp_clone_encode(lua_State *L, int index, int wrapped, cp_buffer *out);

/* Raises an error of the same kind about the value at `index` as a whole. */
void cp_clone_raise(lua_State *L, int index, const char *reason);

/* Pops the function that makes the errors of cp_clone_encode: see raise.h. */
void cp_clone_set_error_maker(lua_State *L);

/* Decodes a value and pushes it. Returns false and pushes nothing if the bytes are malformed, of an
 * unknown version, or nested too deeply. Allocates in proportion to `length`, whatever lengths the
 * bytes claim. Raises when out of memory, and if the classes cannot be loaded. The bytes must not
 * change during the call, not even by a finalizer. */
bool cp_clone_decode(lua_State *L, const char *bytes, size_t length, cp_decode_error *error);

#endif
