/* JSON straight from and onto the Lua stack: nothing is built in between.
 *
 *   JSON                 Lua
 *   object               table with string keys
 *   array                table with the keys 1 to n; a decoded one carries the mark of arrays
 *   string               string; what is not valid UTF-8 becomes U+FFFD, in both directions
 *   number               integer where there is no point and no exponent and it fits, else float
 *   true, false, null    true, false, the light userdata NULL
 *
 * Tables are read and written without their metamethods. Neither direction calls itself for what
 * is nested, so it takes the same small part of the C stack for every value. */
#ifndef CP_JSON_H
#define CP_JSON_H

#include "../core/buffer.h"
#include "decode_error.h"

#include <lua.h>
#include <stdbool.h>

/* More tables within each other than this are an error, in both directions. */
#define CP_JSON_DEPTH 1000

/* Appends the JSON text of the value at `index`, as JSON.stringify does. Returns false, with
 * nothing appended, if there is none: for a function, a thread, a userdata (but NULL), or nil.
 * Within a table those are left out, and null in an array.
 *
 * A table is an array if it has the mark, with the entries up to its length, or if its keys are
 * exactly 1 to n, n > 0; else it is an object, whose number keys become strings. If the metatable
 * of a table or of a value that has no text has `__tojson`, then that is called with the value and
 * its key as a string ("" for the outermost), and the result stands in the place of the value.
 *
 * Errors say where in the value they are; the `wrapped` outermost tables, which are somebody else's,
 * are left out there.
 *
 * Raises an error for a cycle, for a key that is neither a string nor a number, for too much depth,
 * where `__tojson` does, and for want of memory. Something may have been appended then, which the
 * caller takes back. `__tojson` cannot yield but may do anything else, and so may finalizers, which
 * run now and then: meanwhile nobody else may touch `out`. */
bool cp_json_encode(lua_State *L, int index, int wrapped, cp_buffer *out);

/* Whether the value at `index`, which is of this type, has a text without `__tojson`. */
bool cp_json_has_text(lua_State *L, int index, int type);

/* Takes a function off the stack that makes the errors which cp_json_encode raises: it is given
 * where the value is ("message.list[3]"), the value, and what is wrong with it as the rest of a
 * sentence ("closes a cycle"). Without it they are strings. */
void cp_json_set_error(lua_State *L);

/* Pushes the value of a text by RFC 8259, without extensions. Of several members with the same name
 * the last one counts. Returns false, with nothing pushed, if the text is no JSON or is nested too
 * deeply. Raises only for want of memory. The text has to stay as it is until then, also where
 * finalizers run. */
bool cp_json_decode(lua_State *L, const char *text, size_t length, cp_decode_error *error);

#endif
