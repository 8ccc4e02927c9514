/* JSON, encoded straight from the Lua stack and decoded straight onto it: encode.c and decode.c.
 *
 *   JSON                 Lua
 *   object               table with string keys
 *   array                table with the keys 1 to n; a decoded one has the array mark
 *   string               string; invalid UTF-8 becomes U+FFFD, in both directions
 *   number               integer if it has no point and no exponent and fits, else float
 *   true, false, null    true, false, the light userdata NULL
 *
 * Both directions bypass metamethods, except for __tojson. Neither recurses for nested values, so
 * every value takes the same small amount of C stack. */
#ifndef CP_JSON_H
#define CP_JSON_H

#include "codec/decode_error.h"
#include "compat/lua.h"
#include "core/base/buffer.h"

#include <stdbool.h>

/* Tables that are nested deeper than this are an error, in both directions. */
#define CP_JSON_DEPTH 1000

/* Appends the JSON text of the value at `index`, as JSON.stringify does, and returns true. Returns
 * false and appends nothing for a function, a thread, a userdata (except NULL) and nil, which have
 * no JSON text. Objects omit such members, and arrays have null instead.
 *
 * A table with the array mark is an array of its entries up to its length. So is a table whose keys
 * are exactly 1 to n, n > 0. Any other table is an object, whose number keys become strings. If the
 * metatable of a table, or of a value without a JSON text, has `__tojson`, the encoder calls it
 * with the value and its key as a string ("" for the outermost value), and writes the result
 * instead of the value.
 *
 * Raises an error for a cycle, for a key that is neither a string nor a number, for excessive
 * depth, when out of memory, and if `__tojson` raises. An error names its place within the value,
 * without the keys of the `wrapped` outermost tables, which the caller has added around the user's
 * value. After an error `out` may end with part of the text, which the caller removes.
 *
 * `__tojson` cannot yield. Neither it nor a finalizer, which may run during the call, may touch
 * `out`; anything else is allowed. */
bool cp_json_encode(lua_State *L, int index, int wrapped, cp_buffer *out);

/* Returns whether the value at `index`, of the given type, has a JSON text without `__tojson`. */
bool cp_json_has_text(lua_State *L, int index, int type);

/* Pops the function that makes the errors of cp_json_encode: see raise.h. */
void cp_json_set_error_maker(lua_State *L);

/* Decodes a text by RFC 8259, without extensions, and pushes its value. If several members have the
 * same name, the last one wins. Returns false and pushes nothing if the text is malformed or nested
 * too deeply. Raises only when out of memory. The text must not change during the call, not even by
 * a finalizer. */
bool cp_json_decode(lua_State *L, const char *text, size_t length, cp_decode_error *error);

#endif
